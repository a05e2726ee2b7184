/**
 * Many seeds in parallel, one thread per core, and a table at the end; each seed gives the same result as when run alone.
 */
import { availableParallelism } from "node:os"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import { runMain } from "@effect/platform-node/NodeRuntime"
import { Circuit, Moons, Plan, Score, TfjsEngine, Training } from "@rai/core"
import { Console, Effect } from "effect"

type Row = readonly [seed: number, steps: number, accuracy: number]

/** The worker, which runs this same file in a thread: trains its seeds one after the other. */
const train = Effect.gen(function* () {
  const circuit = Circuit.perceptron([2, 12, 12, 12, 1], { activation: "tanh" })
  const plan = Plan.auto(circuit, { start: "pytorch" })
  const fresh = yield* Moons.make({ examples: 1000, noise: 0.1, seed: 2024 })
  for (const seed of workerData) {
    const { progress, trained } = yield* Training.run(circuit, yield* Moons.paper, { plan, seed })
    const { accuracy } = yield* Score.score(trained, fresh)
    parentPort!.postMessage([seed, progress.total, accuracy] satisfies [number, number, unknown])
  }
})

const inThread = (seeds: ReadonlyArray<number>): Effect.Effect<ReadonlyArray<Row>, Error> =>
  Effect.callback((resume) => {
    const rows: Array<Row> = []
    const thread = new Worker(import.meta.filename, { workerData: seeds })
    thread.on("message", (row: Row) => rows.push(row))
    thread.once("error", (error: Error) => resume(Effect.fail(error)))
    thread.once("exit", () => resume(Effect.succeed(rows)))
    return Effect.promise(() => thread.terminate())
  })

const main = Effect.gen(function* () {
  const threads = Map.groupBy(Array(8).keys(), (seed) => seed % availableParallelism())
  const rows = yield* Effect.forEach(threads.values(), inThread, { concurrency: "unbounded" })
  const sorted = rows.flat().sort(([a], [b]) => a - b)
  const line = (...cells: ReadonlyArray<string | number>) => cells.map((cell) => `${cell}`.padStart(10)).join("")
  yield* Console.log([line("seed", "steps", "accuracy"), ...sorted.map((row) => line(...row))].join("\n"))
  const mean = sorted.reduce((sum, [, , accuracy]) => sum + accuracy, 0) / sorted.length
  yield* Console.log(`mean accuracy ${mean.toFixed(4)} over ${sorted.length} seeds in ${threads.size} threads`)
})

runMain(isMainThread ? main : train.pipe(Effect.provide(TfjsEngine.layerWasm)))
