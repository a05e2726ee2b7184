import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Classification from "../src/Classification.ts"
import type { InferTensor } from "../src/InferTensor.ts"

const tensor = (datatype: InferTensor["datatype"], shape: ReadonlyArray<number>, data: InferTensor["data"]) => ({
  name: "y",
  datatype,
  shape,
  data
})

const each = { shape: ["batch", 3] }
const scores = tensor("FP32", [2, 3], new Float32Array([0.1, 0.7, 0.2, 5, -1, Number.NaN]))

describe("a classification", () => {
  it("holds the largest of each example, or of all", () => {
    assert.deepStrictEqual(
      Classification.apply(scores, 2, each),
      Result.succeed(tensor("BYTES", [2, 2], ["0.700000:1", "0.200000:2", "5.000000:0", "-1.000000:1"]))
    )
    assert.deepStrictEqual(
      Classification.apply(scores, 2, undefined),
      Result.succeed(tensor("BYTES", [2], ["5.000000:3", "0.700000:1"]))
    )
    const whole = tensor("INT64", [3], new BigInt64Array([1n, 2n ** 60n, 1n]))
    assert.deepStrictEqual(
      Classification.apply(whole, 9, undefined),
      Result.succeed(tensor("BYTES", [3], ["1152921504606846976:1", "1:0", "1:2"]))
    )
    assert.deepStrictEqual(
      Classification.apply(tensor("FP32", [0, 3], new Float32Array(0)), 2, each),
      Result.succeed(tensor("BYTES", [0, 0], []))
    )
    const long = 4_000_000_000
    assert.deepStrictEqual(
      Classification.apply(tensor("FP32", [long, 0], new Float32Array(0)), 2, each),
      Result.succeed(tensor("BYTES", [long, 0], []))
    )
  })

  it("names the classes that have a label, each by its place", () => {
    const labels = ["a", "", "c: last", "none"]
    assert.deepStrictEqual(
      Classification.apply(scores, 3, { ...each, labels }),
      Result.succeed(
        tensor(
          "BYTES",
          [2, 3],
          ["0.700000:1", "0.200000:2:c: last", "0.100000:0:a", "5.000000:0:a", "-1.000000:1", "NaN:2:c: last"]
        )
      )
    )
    assert.deepStrictEqual(
      Classification.apply(scores, 2, { shape: [2, 3], labels }),
      Result.succeed(tensor("BYTES", [2], ["5.000000:3:none", "0.700000:1"]))
    )
  })

  it("takes NaN for −∞", () => {
    const mixed = tensor("FP64", [4], new Float64Array([Number.NaN, 1, Number.NaN, Number.NEGATIVE_INFINITY]))
    assert.deepStrictEqual(
      Classification.apply(mixed, 2, undefined),
      Result.succeed(tensor("BYTES", [2], ["1.000000:1", "NaN:0"]))
    )
  })

  it.each([
    tensor("BYTES", [1], ["a"]),
    tensor("BOOL", [1], new Uint8Array(1)),
    tensor("FP16", [1], new Uint16Array(1))
  ])("is not made of $datatype", (output) => {
    const refused = Classification.apply(output, 1, undefined)
    assert.strictEqual(
      Result.isFailure(refused) ? refused.failure.message : "",
      `the output "y" is ${output.datatype}, which cannot be put in order; ask for it without "classification"`
    )
  })
})
