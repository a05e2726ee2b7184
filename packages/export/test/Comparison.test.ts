import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Engine, NdArray, Program, Tensor, TfjsEngine } from "@rai/core"
import { Effect } from "effect"
import * as Agreement from "../src/Agreement.ts"
import * as Asked from "../src/Asked.ts"
import * as Comparison from "../src/Comparison.ts"
import * as Onnx from "../src/Onnx.ts"
import * as Samples from "../src/Samples.ts"
import * as Verify from "../src/Verify.ts"
import * as Folder from "./Folder.ts"
import * as Trained from "./Trained.ts"

const wide = (numbers: number): Program.Program => {
  const x = Tensor.input("x", ["batch", numbers])
  return Program.fromTensors({ x }, { y: x.tanh() })
}

it("batches are of 1, 7 and then 1,000 rows, or of as many as memory holds of what lives at once", () => {
  const rows = (batch: number) =>
    Comparison.inTurn(NdArray.make([1500, 1], new Float32Array(1500)), batch).map(({ x }) => x.shape[0])
  assert.deepStrictEqual(rows(Comparison.extentOf(wide(2)).batch), [1, 7, 1000, 492])
  // The input and the output are there at once: 2 × 4 bytes × 2^16 × 256 rows = 2^27.
  assert.deepStrictEqual(rows(Comparison.extentOf(wide(2 ** 16)).batch), [1, 7, 256, 256, 256, 256, 256, 212])
  assert.deepStrictEqual(rows(Comparison.extentOf(wide(2 ** 22)).batch).slice(0, 4), [1, 4, 4, 4])
  assert.strictEqual(Comparison.extentOf(wide(2 ** 30)).batch, 1)
})

it("weights are there once, however many rows a batch has", () => {
  const [x, w] = [Tensor.input("x", ["batch", 2 ** 14]), Tensor.input("w", [2 ** 14, 2 ** 14])]
  assert.strictEqual(Comparison.extentOf(Program.fromTensors({ x, w }, { y: x.matMul(w) })).batch, Comparison.most)
})

it("float64 is for all rows of a small circuit, and for fewer where each takes seconds", () => {
  const [x, w] = [Tensor.input("x", ["batch", 2 ** 15]), Tensor.input("w", [2 ** 15, 2 ** 15])]
  assert.strictEqual(Comparison.extentOf(wide(2)).exact, Comparison.most)
  assert.strictEqual(Comparison.extentOf(Program.fromTensors({ x, w }, { y: x.matMul(w) })).exact, 6)
})

it.effect("answers come in the rows' order, however many are computed at a time", () =>
  Effect.gen(function* () {
    const x = NdArray.make([5, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const counts: Array<number> = []
    const twice = (rows: NdArray.NdArray) =>
      Effect.sync(() => {
        counts.push(rows.shape[0]!)
        const label = {
          shape: [rows.shape[0]!],
          data: Int32Array.from({ length: rows.shape[0]! }, (_, i) => rows.data[2 * i]!)
        }
        return { y: { shape: [...rows.shape, 1], data: rows.data.map((n) => 2 * n) }, label }
      })
    const { label, y } = yield* Comparison.inParts(twice, 2)(x)
    assert.deepStrictEqual(counts, [2, 2, 1])
    assert.deepStrictEqual(y, { shape: [5, 2, 1], data: Float32Array.of(2, 4, 6, 8, 10, 12, 14, 16, 18, 20) })
    assert.deepStrictEqual(label, { shape: [5], data: Int32Array.of(1, 3, 5, 7, 9) })
  })
)

it.effect("a model with two thousand outputs is proved as one with few", () =>
  Effect.gen(function* () {
    const file = join(yield* Folder.make, "wide.onnx")
    const record = yield* Onnx.write(Trained.make([2, 2000], { task: "regression" }), file)
    assert.strictEqual(record.outputs.value!.freeRun[0]!.length, 2000)
    assert.strictEqual(record.compared!.batch, undefined)
    assert.strictEqual((yield* Verify.verify(file)).examples, record.examples)
  }).pipe(Effect.provide(TfjsEngine.layerWasm))
)

it.effect("small values are held to their own size, and an answer of nothing is none of them", () =>
  Effect.gen(function* () {
    const trained = Trained.make([2, 8, 2], { task: "regression" })
    // As if targets had been some 1e-7 and some 30.
    const factors = [1e-7, 30]
    const scaled = Object.fromEntries(
      ["2.weight", "2.bias"].map((name) => {
        const { data, shape } = trained.parameters[name]!
        return [name, { shape, data: Float32Array.from(data, (value, i) => value * factors[i % 2]!) }]
      })
    )
    const file = join(yield* Folder.make, "small.onnx")
    const record = yield* Onnx.write({ ...trained, parameters: { ...trained.parameters, ...scaled } }, file)
    const { freeRun } = record.outputs.value!
    const finite = freeRun.filter((row) => row.every(Number.isFinite)).map(([first]) => Math.abs(Number(first)))
    const [size, ordinary] = record.sizes!
    assert.closeTo(size! / Math.max(...finite), 1, 1e-6)
    assert.strictEqual(ordinary, 1)
    assert.isBelow(record.tolerance, 1e-3)
    yield* Verify.verify(file)
    const nothing = freeRun.map(([first, second]) => [Number.isFinite(first) ? 0 : first!, second!])
    const outputs = { value: { freeRun, onnxruntime: nothing } }
    const lost = yield* Effect.flip(Agreement.compare(file, record.tolerance, outputs, record.sizes))
    assert.include(lost.message, `(${size} + |b|)`)
  }).pipe(Effect.provide(TfjsEngine.layerWasm))
)

it.effect("the record of a costly network says that its rounding is measured on some of its samples", () =>
  Effect.gen(function* () {
    const trained = Trained.make([2, 8, 1], { task: "regression" })
    const x = NdArray.make([4, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    const asked = yield* Asked.program(trained, {})
    const freeRun = (rows: NdArray.NdArray) => Engine.run(asked.asked, { ...asked.constants, ...asked.given(rows) })
    const answers = yield* freeRun(x)
    const inFloat32 = (_: NdArray.NdArray, own: Engine.Arrays) => Effect.succeed(own)
    const on = (exact: number) =>
      Comparison.roundingOn(
        { extent: { batch: 1000, exact }, freeRun, inFloat32, sizes: [] },
        x,
        answers,
        Agreement.pair(answers, answers)
      )
    const [all, some] = [yield* on(1000), yield* on(3)]
    assert.isUndefined(all.roundingOn)
    assert.strictEqual(some.roundingOn, 3)
    assert.isAtMost(some.rounding, all.rounding)
    assert.isAbove(all.rounding, 0)
  }).pipe(Effect.provide(TfjsEngine.layerWasm))
)

it("samples of many numbers are fewer, as all of them stand in the record", () => {
  const given = NdArray.make([100, 2 ** 17], new Float32Array(100 * 2 ** 17))
  assert.deepStrictEqual(Samples.make(2, { seed: 0 }).shape, [96, 2])
  assert.deepStrictEqual(Samples.make(2 ** 17, { seed: 0 }).shape, [17, 2 ** 17])
  assert.deepStrictEqual(Samples.make(2 ** 17, { seed: 0, given }).shape, [18, 2 ** 17])
  assert.strictEqual(Samples.random(2 ** 17, 100), 11)
  assert.strictEqual(Samples.random(2, 100), 96)
})
