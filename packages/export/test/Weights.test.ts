import { stat } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Circuit, NdArray, Pseudorandom, TfjsEngine } from "@rai/core"
import { Effect } from "effect"
import * as Model from "../src/Model.ts"
import * as Onnx from "../src/Onnx.ts"
import * as Verify from "../src/Verify.ts"
import * as Weights from "../src/Weights.ts"
import * as Folder from "./Folder.ts"
import * as Trained from "./Trained.ts"

describe("float16", () => {
  it("is IEEE 754's: all 63,488 finite numbers, those halfway between two go to the even one", () => {
    const valueOf = (bits: number) => {
      const [exponent, rest] = [(bits >> 10) & 31, bits & 1023]
      return exponent === 0 ? rest * 2 ** -24 : (1024 + rest) * 2 ** (exponent - 25)
    }
    for (let bits = 0; bits < 0x7c00; bits++) {
      const x = valueOf(bits)
      assert.strictEqual(Weights.half(x), x)
      assert.strictEqual(Weights.half(-x), -x)
      if (bits === 0x7bff) continue
      const [next, even] = [valueOf(bits + 1), valueOf(bits + (bits % 2))]
      assert.strictEqual(Weights.half((x + next) / 2), even)
      assert.strictEqual(Weights.half(x + (next - x) * 0.25), x)
      assert.strictEqual(Weights.half(x + (next - x) * 0.75), next)
    }
    assert.strictEqual(Weights.half(65519), 65504)
    for (const x of [65520, -1e6, Number.POSITIVE_INFINITY, Number.NaN]) assert.isUndefined(Weights.half(x))
  })
})

describe("weights in float16", () => {
  const { uniform } = Pseudorandom.make(3)
  const samples = NdArray.make(
    [500, 2],
    Array.from({ length: 1000 }, () => uniform(-3, 3))
  )

  it.effect("halve the file, answer as the free run of the rounded ones does, and the record says what they cost", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const circuit = Circuit.sequence(
        Circuit.linear(2, 64),
        Circuit.tanh,
        Circuit.repeat(Circuit.residual(Circuit.sequence(Circuit.linear(64, 64), Circuit.gelu)), 4),
        Circuit.linear(64, 3)
      )
      const trained = Trained.of(circuit, { task: "classes" })
      const [whole, small] = [join(folder, "a.onnx"), join(folder, "b.onnx")]
      const exact = yield* Effect.provide(Onnx.write(trained, whole, { samples }), TfjsEngine.layer)
      const record = yield* Effect.provide(
        Onnx.write(trained, small, { samples, weights: "float16" }),
        TfjsEngine.layer
      )
      const sizes = yield* Effect.promise(() => Promise.all([whole, small].map((file) => stat(file))))
      assert.isBelow(sizes[1]!.size, 0.6 * sizes[0]!.size)
      assert.isUndefined(exact.weights)
      assert.isAtMost(record.tolerance, 2 * exact.tolerance)
      assert.deepInclude(record.weights, { kept: "float16", examples: 500 })
      assert.isAbove(record.weights!.maxAbsDifference, record.maxAbsDifference)
      assert.isBelow(record.weights!.maxRelativeDifference, 1e-2)
      assert.isBelow(record.weights!.otherClass!, 10)
      assert.notStrictEqual(record.parameters, exact.parameters)
      assert.strictEqual((yield* Verify.verify(small)).maxAbsDifference, record.maxAbsDifference)
    })
  )

  it.effect("beyond its range stay in float32", () =>
    Effect.gen(function* () {
      const made = Trained.make([2, 3, 1])
      const parameters = { ...made.parameters, "0.weight": NdArray.make([2, 3], [1e5, 1, 1, 1, 1, 1]) }
      const bytes = yield* Onnx.make({ ...made, parameters }, { weights: "float16" })
      const { graph } = yield* Model.decode(bytes, "m.onnx")
      assert.deepStrictEqual(
        graph!.initializer.filter(({ dims }) => dims.length === 2).map(({ dataType, name }) => [name, dataType]),
        [
          ["0.weight", Model.DataType.FLOAT],
          ["2.weight.float16", Model.DataType.FLOAT16]
        ]
      )
    })
  )
})

describe("weights in int8", () => {
  it.effect("quarter the file, run as products of whole numbers, and the record says what they cost", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const { uniform } = Pseudorandom.make(3)
      const samples = NdArray.make(
        [500, 2],
        Array.from({ length: 1000 }, () => uniform(-3, 3))
      )
      const trained = Trained.make([2, 128, 128, 128, 3], { activation: "tanh", task: "classes" })
      const [whole, small] = [join(folder, "a.onnx"), join(folder, "b.onnx")]
      yield* Effect.provide(Onnx.write(trained, whole, { samples }), TfjsEngine.layer)
      const record = yield* Effect.provide(Onnx.write(trained, small, { samples, weights: "int8" }), TfjsEngine.layer)
      const sizes = yield* Effect.promise(() => Promise.all([whole, small].map((file) => stat(file))))
      assert.isBelow(sizes[1]!.size, 0.35 * sizes[0]!.size)
      const { graph } = yield* Model.decode(yield* Onnx.make(trained, { weights: "int8" }), "m.onnx")
      assert.strictEqual(graph!.node.filter(({ opType }) => opType === "MatMulInteger").length, 4)
      assert.isFalse(graph!.node.some(({ opType }) => opType === "Gemm" || opType === "MatMul"))
      assert.deepInclude(record.weights, { kept: "int8", examples: 500 })
      assert.isBelow(record.weights!.maxAbsDifference, 0.1)
      assert.isAbove(record.weights!.maxAbsDifference, 1e-5)
      assert.isBelow(record.weights!.otherClass!, 25)
      assert.strictEqual(record.examples, 64 + 64)
      assert.isBelow(record.tolerance, 0.2)
      assert.strictEqual((yield* Verify.verify(small)).maxAbsDifference, record.maxAbsDifference)
    })
  )
})
