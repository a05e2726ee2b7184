import { assert, it } from "@effect/vitest"
import { Result } from "effect"
import type { InferTensor } from "../src/InferTensor.ts"
import * as SequenceControls from "../src/repository/SequenceControls.ts"

const spec = { name: "START", datatype: "FP32", shape: ["batch", 1, "n"] }
const control = { kind: "CONTROL_SEQUENCE_START", fp32_false_true: [-0.5, 2.5] } as const
const x = (shape: ReadonlyArray<number>, length: number): InferTensor => ({
  ...{ name: "x", datatype: "FP32", shape, data: new Float32Array(length) }
})

it("a control has the request's rows, and one of every other size that is open", () => {
  const filled = (is: boolean) =>
    SequenceControls.tensor(spec, control, { inputs: [x([2, 3], 6)], parameters: { sequence_start: is } })
  const tensor = { name: "START", datatype: "FP32" as const, shape: [2, 1, 1] }
  assert.deepStrictEqual(filled(true), Result.succeed({ ...tensor, data: Float32Array.of(2.5, 2.5) }))
  assert.deepStrictEqual(filled(false), Result.succeed({ ...tensor, data: Float32Array.of(-0.5, -0.5) }))
})

it("no memory is taken for rows that only the shape has", () => {
  const refused = SequenceControls.tensor(spec, control, { inputs: [x([4_000_000_000, 0], 0)] })
  assert.strictEqual(
    Result.isFailure(refused) ? refused.failure.message : "",
    'the input "x" has 4000000000 rows and no elements; send some'
  )
})
