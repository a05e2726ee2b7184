/**
 * A run is a stream of events, so a callback is a consumer of the stream: here one draws, one writes a file, and a condition ends the run.
 */
import { runMain } from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Circuit, Moons, Plan, Rprop, TfjsEngine, Training, TrainingEvent } from "@rai/core"
import { Console, Effect, FileSystem, Layer, Stream } from "effect"

const circuit = Circuit.perceptron([2, 20, 20, 20, 20, 1], { activation: "tanh" })
const plan = Plan.relax({ steps: 2000, energy: "sum", optimizer: Rprop.make(0.0005), interval: 2 }).pipe(
  Plan.startingAt("orthogonal")
)

/** A bar from ▁ at a loss of 10⁻³ to █ at 1. */
const bar = (loss: number) => "▁▂▃▄▅▆▇█"[Math.max(0, Math.min(7, Math.round(7 + (7 / 3) * Math.log10(loss))))]

const program = Effect.gen(function* () {
  const { sink } = yield* FileSystem.FileSystem
  // Both consumers see every measurement at their own pace; the run waits for the slower one.
  const [forScreen, forFile] = yield* Training.stream(circuit, yield* Moons.paper, { plan, seed: 0 }).pipe(
    Stream.filter(TrainingEvent.isMeasured),
    Stream.takeUntil(({ measurement }) => measurement.freeRunLoss < 0.02),
    Stream.broadcastN({ n: 2, capacity: 16 })
  )
  const drawn = Stream.runForEach(Stream.grouped(forScreen, 10), (group) => {
    const { measurement, progress } = group.at(-1)!
    const bars = group.map(({ measurement }) => bar(measurement.freeRunLoss)).join("")
    return Console.log(`${bars.padEnd(10)} step ${progress.step}: free run ${measurement.freeRunLoss.toFixed(3)}`)
  })
  const written = forFile.pipe(
    Stream.map(({ measurement, progress }) => `${JSON.stringify({ step: progress.total, ...measurement })}\n`),
    Stream.encodeText,
    Stream.run(sink("metrics.jsonl"))
  )
  yield* Effect.all([drawn, written], { concurrency: 2 })
})

program.pipe(Effect.scoped, Effect.provide(Layer.merge(TfjsEngine.layer, NodeServices.layer)), runMain)
