/**
 * Operators on numbers at the edges of their domains, beside onnxruntime.
 */
import { assert, it } from "@effect/vitest"
import { Engine, Gradient, NdArray, Program, ReferenceEngine } from "@rai/core"
import { Effect } from "effect"
import * as Model from "../src/Model.ts"
import * as Onnxruntime from "../src/Onnxruntime.ts"
import * as Network from "../src/read/Network.ts"
import { Writer } from "../src/Writer.ts"

const ends = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1, 2, -2, 3, 0.5, -0.5, 2.5]

/** A model of one operator on a and b. */
const modelOf = (operator: string, a: ReadonlyArray<number | string>, b: ReadonlyArray<number | string>) => {
  const writer = new Writer()
  for (const name of ["a", "b", "y"]) writer.unique(name)
  const attributes = operator === "Mod" ? { fmod: 1 } : {}
  writer.node({ operator, inputs: ["a", "b"], attributes }, "y")
  const given = [Model.value("a", a, "float"), Model.value("b", b, "float")]
  const graph = writer.graph("pairs", given, [Model.value("y", ["rows", "columns"], "float")])
  return Model.encode(graph, { version: "0", metadata: {} })
}

/** The program that is read of it. */
const programOf = Effect.fnUntraced(function* (bytes: Uint8Array, a: ReadonlyArray<number>, b: ReadonlyArray<number>) {
  const model = yield* Model.decode(bytes, "pairs.onnx")
  return (yield* Network.read(model, { file: "pairs.onnx", inputs: { a, b }, outputs: ["y"] })).program
})

it.effect.each(["Pow", "Mod"])("%s of each pair of numbers at the edges is onnxruntime's", (operator) =>
  Effect.gen(function* () {
    const bytes = modelOf(operator, ["rows", 1], [1, "columns"])
    const n = ends.length
    const given = { a: NdArray.make([n, 1], ends), b: NdArray.make([1, n], ends) }
    const expected = (yield* Onnxruntime.run(bytes, given)).y!
    const program = yield* programOf(bytes, [n, 1], [1, n])
    const came = (yield* Engine.run(program, given)).y!
    const wrong = Array.from(expected.data).flatMap((y, i) => {
      const x = came.data[i]!
      const isSame = Object.is(x, y) || x === y || Math.abs(x - y) <= 1e-5 * Math.abs(y)
      return isSame ? [] : [`${operator}(${ends[Math.floor(i / n)]}, ${ends[i % n]}): expected ${y}, came ${x}`]
    })
    assert.deepStrictEqual(wrong, [])
  }).pipe(Effect.provide(ReferenceEngine.layer))
)

it.effect("Pow has its derivatives where it is 1, too", () =>
  Effect.gen(function* () {
    const pairs = [
      [1, 2],
      [1, 0.5],
      [-1, 3],
      [-1, 2],
      [1, 0],
      [3, 0],
      [0.5, 0],
      [2, 3]
    ] as const
    const n = pairs.length
    const [a, b] = [0, 1].map((side) =>
      NdArray.make(
        [n, 1],
        pairs.map((pair) => pair[side]!)
      )
    )
    const program = yield* programOf(modelOf("Pow", ["rows", 1], ["rows", 1]), [n, 1], [n, 1])
    const total = yield* Program.check(() => Program.fromTensors(program.inputs, { total: program.outputs.y!.total() }))
    const derived = yield* Gradient.make({ of: "total", inputs: ["a", "b"] })(total)
    const came = yield* Engine.run(derived, { a: a!, b: b! })
    for (const [i, [base, exponent]] of pairs.entries()) {
      assert.closeTo(came["gradient/a"]!.data[i]!, exponent * base ** (exponent - 1), 1e-12, `a of ${base}^${exponent}`)
      // Of a negative base, no exponent but a whole one gives a number.
      const slope = base > 0 ? base ** exponent * Math.log(base) : 0
      assert.closeTo(came["gradient/b"]!.data[i]!, slope, 1e-12, `b of ${base}^${exponent}`)
    }
  }).pipe(Effect.provide(ReferenceEngine.layer))
)
