import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import {
  Blobs,
  Circuit,
  DataInvalid,
  Dataset,
  Moons,
  Parts,
  type PhaseRun,
  Plan,
  PlanSpec,
  ReferenceEngine,
  Training
} from "@rai/core"
import { Effect, FileSystem, Layer, Option, Path, Stream } from "effect"

const circuit = Circuit.perceptron([2, 6, 6, 1], { activation: "tanh" })
const layer = Layer.mergeAll(ReferenceEngine.layer, NodeServices.layer)

/** Fifty moons in a file, read in parts of 20, 20 and 10. */
const inParts = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(yield* fs.makeTempDirectoryScoped(), "moons.csv")
  const moons = yield* Moons.make({ examples: 50, seed: 3 })
  const rows = Array.from(Dataset.labels(moons), (label, i) =>
    [...moons.inputs.data.slice(2 * i, 2 * i + 2), label].join()
  )
  yield* fs.writeFileString(file, ["x1,x2,label", ...rows, ""].join("\n"))
  return yield* Parts.file(file, { rows: 20 })
})

describe("data in parts", () => {
  it.effect("a file's parts have its length, and the first is the sample", () =>
    Effect.gen(function* () {
      const { parts, sample } = yield* inParts
      assert.deepStrictEqual(parts.sizes, [20, 20, 10])
      assert.strictEqual(Dataset.examples(sample), 20)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("a file's examples without all values are counted, wherever they stand", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const rows = ["1,a", ",b", "2,b", "3,a", ",a", ",b", ",b"]
      yield* fs.writeFileString(`${folder}/a.csv`, ["x,kind", ...rows, ""].join("\n"))
      const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (7, 1), }".padEnd(117)
      const numbers = (values: ReadonlyArray<number>) =>
        Buffer.concat([
          Buffer.from(`\x93NUMPY\x01\x00\x76\x00${header}\n`, "latin1"),
          Buffer.from(Float64Array.from(values).buffer)
        ])
      yield* fs.writeFile(`${folder}/X.npy`, numbers(rows.map((row) => Number.parseFloat(row))))
      yield* fs.writeFile(`${folder}/y.npy`, numbers([0, 1, 1, 0, 0, 1, 1]))
      for (const [file, sizes] of [
        ["a.csv", [2, 1]],
        ["X.npy", [1, 2]]
      ] as const) {
        const { dropped, parts } = yield* Parts.file(`${folder}/${file}`, { rows: 2, missing: "drop" })
        assert.deepStrictEqual([dropped, parts.sizes], [4, sizes])
        assert.deepStrictEqual((yield* Stream.runCollect(parts.read)).map(Dataset.examples), [...sizes])
      }
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.live("a part that does not come lets the run be interrupted, with a snapshot of what it has done", () =>
    Effect.gen(function* () {
      const { parts, sample } = yield* inParts
      const waiting = { ...parts, read: Stream.concat(Stream.take(parts.read, 1), Stream.never) }
      const kept: Array<PhaseRun.Snapshot> = []
      const onSnapshot = (snapshot: PhaseRun.Snapshot) => Effect.sync(() => void kept.push(snapshot))
      const plan = yield* PlanSpec.parse("backpropagate:3:sgd=0.1:batch=8")
      const run = Training.run(circuit, sample, { plan, seed: 1, parts: waiting, onSnapshot })
      assert.isTrue(Option.isNone(yield* Effect.timeoutOption(run, "500 millis")))
      assert.isAtLeast(kept.at(-1)!.progress.total, 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect(
    "an epoch takes whole batches of each part, and the run resumes to the bit within a part",
    () =>
      Effect.gen(function* () {
        const { parts, sample } = yield* inParts
        const plan = yield* PlanSpec.parse("backpropagate:3:sgd=0.1:batch=8,alternate:2:batch=8")
        const whole = yield* Stream.runCollect(Training.stream(circuit, sample, { plan, seed: 1, parts }))
        const finished = whole.at(-1)!
        assert(finished._tag === "Finished")
        // ⌊20/8⌋ + ⌊20/8⌋ + ⌊10/8⌋ = 5 steps an epoch.
        assert.strictEqual(finished.progress.total, 25)
        for (const at of [3, 9, 18]) {
          const kept: Array<PhaseRun.Snapshot> = []
          const onSnapshot = (snapshot: PhaseRun.Snapshot) => Effect.sync(() => void kept.push(snapshot))
          const stopping = Training.stream(circuit, sample, { plan, seed: 1, parts, onSnapshot })
          yield* Effect.exit(
            Stream.runForEach(stopping, ({ progress }) => (progress.total >= at ? Effect.interrupt : Effect.void))
          )
          const resumed = yield* Training.fit(circuit, sample, { plan, seed: 1, parts, from: kept.at(-1) })
          assert.deepStrictEqual(resumed.parameters, finished.trained.parameters)
        }
      }).pipe(Effect.scoped, Effect.provide(layer)),
    30_000
  )

  it.effect("a phase that needs all examples at hand is refused", () =>
    Effect.gen(function* () {
      const { parts, sample } = yield* inParts
      const error = yield* Effect.flip(
        Training.fit(circuit, sample, { plan: Plan.relax({ steps: 3 }), seed: 1, parts })
      )
      assert.match(
        error.message,
        /^expected phases that train in batches.*, but relax:3:rprop=0.1 came; write backpropagate/
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect(
    "a source that fails, ends early or has changed since it was measured ends the run with what came where",
    () =>
      Effect.gen(function* () {
        const [whole, other] = [
          yield* Moons.make({ examples: 20, seed: 3 }),
          yield* Moons.make({ examples: 12, seed: 4 })
        ]
        const damaged = new DataInvalid({ source: "mine", line: 7, expected: "a", came: "b came", advice: "mend it" })
        const three = yield* Blobs.make({ examples: 20, centers: 3 })
        const later = [
          [Stream.fail(damaged), damaged.message],
          [
            Stream.empty,
            "part 2 of 2: expected 20 examples, as its size says, but there is no such part; give the same parts each time that they are read"
          ],
          [
            Stream.make(other),
            "part 2 of 2: expected 20 examples, as its size says, but 12 came; give the same parts each time that they are read"
          ],
          [
            Stream.make(three),
            "part 2 of 2: expected binary with 2 inputs and 1 output, but classes with 2 inputs and 3 outputs came; read all of them with the columns and classes of one"
          ]
        ] as const
        for (const [second, expected] of later) {
          const parts = { sizes: [20, 20], read: Stream.concat(Stream.make(whole), second) }
          const plan = Plan.backpropagate({ epochs: 2, batch: 5 })
          const error = yield* Effect.flip(Training.fit(circuit, whole, { plan, seed: 1, parts }))
          assert.strictEqual(error.message, expected)
        }
      }).pipe(Effect.provide(layer))
  )

  it.effect("parts without a batch in any of them are refused before the first step", () =>
    Effect.gen(function* () {
      const moons = yield* Moons.make({ examples: 20 })
      const plan = Plan.make(...[5, 10].flatMap((batch) => Plan.backpropagate({ epochs: 1, batch }).phases))
      const refused = (sizes: ReadonlyArray<number>) => {
        const parts = { sizes, read: Stream.die("read") }
        const onEvent = () => Effect.die("a step")
        return Effect.map(
          Effect.flip(Training.run(circuit, moons, { plan, parts, onEvent, seed: 1 })),
          (e) => e.message
        )
      }
      assert.strictEqual(
        yield* refused([5, 5]),
        "parts, setting «sizes»: expected whole numbers of examples, the largest of them at least the batch of 10, but 5, 5 came; give larger parts or a smaller batch"
      )
      assert.include(yield* refused([]), "no part came")
      assert.include(yield* refused([20, Number.NaN]), "20, NaN came")
    }).pipe(Effect.provide(layer))
  )

  it.effect("any stream has parts, unless it has none", () =>
    Effect.gen(function* () {
      const read = Stream.mapEffect(Stream.make(20, 12), (examples) => Moons.make({ examples, seed: examples }))
      const { parts, sample } = yield* Parts.make(read, "mine")
      assert.deepStrictEqual([parts.sizes, Dataset.examples(sample)], [[20, 12], 20])
      const { message } = yield* Effect.flip(Parts.make(Stream.empty, "mine"))
      assert.strictEqual(message, "mine: expected at least one example, but none came; add rows")
    })
  )

  it.effect("parts whose columns or classes stand in another order, or are others, are told by their number", () =>
    Effect.gen(function* () {
      const moons = yield* Moons.make({ examples: 20 })
      const named = { ...moons, classNames: ["no", "yes"] }
      const message = (other: Dataset.Dataset) =>
        Effect.map(Effect.flip(Parts.make(Stream.make(named, named, other), "mine")), (error) => error.message)
      assert.strictEqual(
        yield* message({ ...named, classNames: ["yes", "no"] }),
        "mine: expected part 3 as the first one, binary with the columns «x1», «x2», the classes «no», «yes» and 1 output, but binary with the columns «x1», «x2», the classes «yes», «no» and 1 output came; read all of them with the columns and classes of one"
      )
      assert.include(yield* message({ ...named, inputNames: ["x2", "x1"] }), "the columns «x2», «x1»")
      assert.include(yield* message(yield* Blobs.make({ examples: 9, centers: 3 })), "but classes with")
    })
  )
})
