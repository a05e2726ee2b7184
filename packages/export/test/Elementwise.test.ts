/**
 * Operators on numbers at the edges of their domains, beside onnxruntime.
 */
import { assert, it } from "@effect/vitest"
import { Engine, NdArray, ReferenceEngine } from "@rai/core"
import { Effect } from "effect"
import * as Model from "../src/Model.ts"
import * as Onnxruntime from "../src/Onnxruntime.ts"
import * as Network from "../src/read/Network.ts"
import { Writer } from "../src/Writer.ts"

const ends = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1, 2, -2, 3, 0.5, -0.5, 2.5]

it.effect.each(["Pow", "Mod"])("%s of each pair of numbers at the edges is onnxruntime's", (operator) =>
  Effect.gen(function* () {
    const writer = new Writer()
    for (const name of ["a", "b", "y"]) writer.unique(name)
    const attributes = operator === "Mod" ? { fmod: 1 } : {}
    writer.node({ operator, inputs: ["a", "b"], attributes }, "y")
    const columns = { a: ["rows", 1], b: [1, "columns"] }
    const graph = writer.graph(
      "pairs",
      Object.entries(columns).map(([name, shape]) => Model.value(name, shape, "float")),
      [Model.value("y", ["rows", "columns"], "float")]
    )
    const bytes = Model.encode(graph, { version: "0", metadata: {} })
    const n = ends.length
    const given = { a: NdArray.make([n, 1], ends), b: NdArray.make([1, n], ends) }
    const expected = (yield* Onnxruntime.run(bytes, given)).y!
    const model = yield* Model.decode(bytes, "pairs.onnx")
    const inputs = { a: [n, 1], b: [1, n] }
    const { program } = yield* Network.read(model, { file: "pairs.onnx", inputs, outputs: ["y"] })
    const came = (yield* Engine.run(program, given)).y!
    const wrong = Array.from(expected.data).flatMap((y, i) => {
      const x = came.data[i]!
      const isSame = Object.is(x, y) || x === y || Math.abs(x - y) <= 1e-5 * Math.abs(y)
      return isSame ? [] : [`${operator}(${ends[Math.floor(i / n)]}, ${ends[i % n]}): expected ${y}, came ${x}`]
    })
    assert.deepStrictEqual(wrong, [])
  }).pipe(Effect.provide(ReferenceEngine.layer))
)
