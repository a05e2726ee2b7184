import { stat } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Circuit, NdArray, Pseudorandom, TfjsEngine } from "@rai/core"
import { Effect } from "effect"
import * as Half from "../src/Half.ts"
import * as Model from "../src/Model.ts"
import * as Onnx from "../src/Onnx.ts"
import * as Predict from "../src/Predict.ts"
import * as Verify from "../src/Verify.ts"
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
      assert.strictEqual(Half.rounded(x), x)
      assert.strictEqual(Half.rounded(-x), -x)
      if (bits === 0x7bff) continue
      const [next, even] = [valueOf(bits + 1), valueOf(bits + (bits % 2))]
      assert.strictEqual(Half.rounded((x + next) / 2), even)
      assert.strictEqual(Half.rounded(x + (next - x) * 0.25), x)
      assert.strictEqual(Half.rounded(x + (next - x) * 0.75), next)
    }
    assert.strictEqual(Half.rounded(65519), 65504)
    for (const x of [65520, -1e6, Number.POSITIVE_INFINITY, Number.NaN]) assert.isUndefined(Half.rounded(x))
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
      const { message } = yield* Effect.flip(Onnx.read(small))
      assert.match(message, /DynamicQuantizeLinear .*; its weights are int8, .*: read the run or the model that it was/)
      assert.strictEqual(record.examples, 64 + 64)
      assert.isBelow(record.tolerance, 0.2)
      assert.strictEqual((yield* Verify.verify(small)).maxAbsDifference, record.maxAbsDifference)
    })
  )
})

describe("what smaller weights lose of the targets", () => {
  const { uniform } = Pseudorandom.make(7)
  const samples = NdArray.make(
    [1500, 2],
    Array.from({ length: 3000 }, () => uniform(-3, 3))
  )
  /** Predicts in the batch sizes of the parity check: int8 derives its scale from a whole batch. */
  const answers = Effect.fnUntraced(function* (file: string, output: string) {
    const found: Array<number> = []
    for (const [from, to] of [
      [0, 1],
      [1, 8],
      [8, 1008],
      [1008, 1500]
    ] as const) {
      const x = NdArray.make([to - from, 2], samples.data.subarray(2 * from, 2 * to))
      const { outputs } = yield* Predict.predict(file, x)
      found.push(...outputs[output]!.data)
    }
    return found
  })

  it.effect("is in the record: of classes the share that is found", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const [whole, small] = [join(folder, "a.onnx"), join(folder, "b.onnx")]
      for (const [task, outputs] of [
        ["classes", 3],
        ["binary", 1]
      ] as const) {
        const trained = Trained.make([2, 64, 64, outputs], { activation: "tanh", task, gain: 2 })
        yield* Effect.provide(Onnx.write(trained, whole, { samples }), TfjsEngine.layer)
        const data = yield* answers(whole, "label")
        // One in ten is another class than the circuit finds.
        const labels = Array.from(data, (label, i) => (i % 10 === 0 ? (label + 1) % Math.max(2, outputs) : label))
        const targets =
          task === "binary"
            ? NdArray.make([1500, 1], labels)
            : NdArray.make(
                [1500, 3],
                labels.flatMap((label) => [0, 1, 2].map((k) => Number(k === label)))
              )
        for (const weights of ["float16", "int8"] as const) {
          const record = yield* Effect.provide(
            Onnx.write(trained, small, { samples, targets, weights }),
            TfjsEngine.layer
          )
          const found = yield* answers(small, "label")
          const right = labels.filter((label, i) => label === found[i]).length
          assert.deepStrictEqual(record.weights!.targets, {
            before: { accuracy: 0.9 },
            after: { accuracy: right / 1500 }
          })
          if (weights === "int8") assert.isBelow(right, 1350)
          yield* Verify.verify(small)
        }
      }
    })
  )

  it.effect("of values R² and the root of the mean squared error", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const [whole, small] = [join(folder, "a.onnx"), join(folder, "b.onnx")]
      const trained = Trained.make([2, 64, 64, 1], { activation: "tanh", task: "regression" })
      yield* Effect.provide(Onnx.write(trained, whole, { samples }), TfjsEngine.layer)
      const exact = yield* answers(whole, "value")
      const meant = exact.map((y) => Math.fround(y + uniform(-0.1, 0.1)))
      const targets = NdArray.make([1500, 1], meant)
      const by = (found: ReadonlyArray<number>) => {
        const centre = meant.reduce((a, b) => a + b, 0) / 1500
        const left = meant.reduce((sum, y, i) => sum + (y - found[i]!) ** 2, 0)
        return {
          r2: 1 - left / meant.reduce((sum, y) => sum + (y - centre) ** 2, 0),
          rootMeanSquaredError: Math.sqrt(left / 1500)
        }
      }
      for (const weights of ["float16", "int8"] as const) {
        const record = yield* Effect.provide(
          Onnx.write(trained, small, { samples, targets, weights }),
          TfjsEngine.layer
        )
        const { after, before } = record.weights!.targets as Record<"before" | "after", ReturnType<typeof by>>
        const found = by(yield* answers(small, "value"))
        for (const [a, b] of [
          [before, by(exact)],
          [after, found]
        ] as const) {
          assert.closeTo(a.r2, b.r2, 1e-5)
          assert.closeTo(a.rootMeanSquaredError, b.rootMeanSquaredError, 1e-5)
        }
        assert.notStrictEqual(before.r2, after.r2)
      }
    })
  )

  it.effect("is left out where no targets are given", () =>
    Effect.gen(function* () {
      const file = join(yield* Folder.make, "m.onnx")
      const trained = Trained.make([2, 8, 1])
      const record = yield* Effect.provide(Onnx.write(trained, file, { samples, weights: "int8" }), TfjsEngine.layer)
      assert.isFalse("targets" in record.weights!)
    })
  )
})
