import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { NdArray, Program, Tensor, TfjsEngine } from "@rai/core"
import { Effect } from "effect"
import * as Agreement from "../src/Agreement.ts"
import * as Comparison from "../src/Comparison.ts"
import * as Onnx from "../src/Onnx.ts"
import * as Verify from "../src/Verify.ts"
import * as Folder from "./Folder.ts"
import * as Trained from "./Trained.ts"

const wide = (numbers: number): Program.Program => {
  const x = Tensor.input("x", ["batch", numbers])
  return Program.fromTensors({ x }, { y: x.tanh() })
}

it("batches are of 1, 7 and then 1,000 rows, or of as many as memory holds of the widest array", () => {
  const rows = (batch: number) =>
    Comparison.inTurn(NdArray.make([1500, 1], new Float32Array(1500)), batch).map(({ x }) => x.shape[0])
  assert.deepStrictEqual(rows(Comparison.batchOf(wide(2))), [1, 7, 1000, 492])
  assert.deepStrictEqual(rows(Comparison.batchOf(wide(2 ** 19))), [1, 7, 512, 512, 468])
  assert.deepStrictEqual(rows(Comparison.batchOf(wide(2 ** 26))).slice(0, 4), [1, 4, 4, 4])
  assert.strictEqual(Comparison.batchOf(wide(2 ** 30)), 1)
})

it("weights are there once, however many rows a batch has", () => {
  const [x, w] = [Tensor.input("x", ["batch", 2 ** 15]), Tensor.input("w", [2 ** 15, 2 ** 15])]
  assert.strictEqual(Comparison.batchOf(Program.fromTensors({ x, w }, { y: x.matMul(w) })), Comparison.most)
})

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
