import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem, Stream } from "effect"
import * as Csv from "../../src/data/Csv.ts"
import * as Encoding from "../../src/data/Encoding.ts"
import * as Preprocessing from "../../src/data/Preprocessing.ts"
import * as Engine from "../../src/engine/Engine.ts"
import * as ReferenceEngine from "../../src/engine/reference/ReferenceEngine.ts"
import * as TfjsEngine from "../../src/engine/tfjs/TfjsEngine.ts"
import * as Program from "../../src/program/Program.ts"
import * as NdArray from "../../src/tensor/NdArray.ts"
import * as Fixture from "../fixtures/Fixture.ts"

/** Written by preprocessing.py: columns with missing values, categories, a constant column and one near 1e8. */
const { csv } = Fixture.read<{ readonly csv: string }>("preprocessing.json")

const disk = FileSystem.layerNoop({
  stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
  stream: () => Stream.make(new TextEncoder().encode(csv))
})

const encode = Effect.fnUntraced(function* (of: Preprocessing.Preprocessing, x: NdArray.NdArray) {
  const constants = Encoding.constants(of)
  const shapes = Object.fromEntries(Object.entries(constants).map(([name, { shape }]) => [name, shape]))
  const program = yield* Program.make({ x: ["batch", of.columns.length], ...shapes }, ({ x, ...given }) => ({
    y: Encoding.apply(of, x!, given)
  }))
  return (yield* Engine.run(program, { x, ...constants })).y!
})

for (const [name, engine] of [
  ["the reference engine", ReferenceEngine.layer],
  ["TensorFlow.js", TfjsEngine.layer]
] as const) {
  layer(engine)(`preprocessing as a formula, on ${name}`, (it) => {
    it.effect("makes of raw columns what encode does", () =>
      Effect.gen(function* () {
        const read = Csv.frame("a.csv", { categorical: ["colour", "size"], missing: "mean" })
        const frame64 = yield* Effect.provide(read, disk)
        // As a model is given it: of numbers near 1e8 float32 keeps no more than multiples of 8.
        const frame = { ...frame64, cells: NdArray.make(frame64.cells.shape, Array.from(frame64.cells.data)) }
        for (const missing of ["mean", "median"] as const) {
          for (const standardise of [false, true]) {
            const of = yield* Preprocessing.fit(frame, { missing, standardise })
            const expected = yield* Preprocessing.encode(of, frame)
            const came = yield* encode(of, yield* Encoding.raw(of, frame))
            assert.deepStrictEqual(came.shape, expected.shape)
            Fixture.near(came, expected, 1e-6, `${missing}, standardise ${standardise}`)
          }
        }
      })
    )

    const colours = (unseen: "error" | "zeros"): Preprocessing.Preprocessing => ({
      columns: [
        { _tag: "Category", name: "colour", categories: ["blue", "red"] },
        { _tag: "Number", name: "year", mean: 2000.1, scale: 0.01 }
      ],
      unseen
    })

    it.effect("is NaN where encode refuses, and zeros where unseen categories are", () =>
      Effect.gen(function* () {
        const x = NdArray.make([5, 2], [1, 2000, -1, 2000, Number.NaN, 2000, 2, Number.NaN, 0.5, 2000])
        const firsts = (y: NdArray.NdArray) =>
          Array.from({ length: 5 }, (_, i) => Array.from(y.data.slice(3 * i, 3 * i + 2)))
        const none = [Number.NaN, Number.NaN]
        const strict = yield* encode(colours("error"), x)
        assert.deepStrictEqual(firsts(strict), [[0, 1], none, none, none, none])
        assert.closeTo(strict.data[2]!, -10, 1e-4)
        assert.isNaN(strict.data[11])
        assert.deepStrictEqual(firsts(yield* encode(colours("zeros"), x)), [[0, 1], [0, 0], none, [0, 0], [0, 0]])
      })
    )
  })
}

describe("raw columns as numbers", () => {
  layer(ReferenceEngine.layer)((it) => {
    it.effect("are refused as encode refuses them", () =>
      Effect.gen(function* () {
        const of: Preprocessing.Preprocessing = {
          columns: [{ _tag: "Category", name: "colour", categories: ["blue", "red"] }],
          unseen: "error"
        }
        const cells = {
          source: "a.csv",
          columns: [{ name: "colour", texts: ["green"] }],
          cells: NdArray.make([1, 1], [0])
        }
        const refused = yield* Effect.flip(Encoding.raw(of, cells))
        assert.deepStrictEqual(refused.message, (yield* Effect.flip(Preprocessing.encode(of, cells))).message)
        assert.deepStrictEqual(Array.from((yield* Encoding.raw({ ...of, unseen: "zeros" }, cells)).data), [-1])
      })
    )
  })
})
