import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { NdArray, Safetensors } from "@rai/core"
import { Effect } from "effect"

const fixture = new URL("../fixtures/written-by-python.safetensors", import.meta.url)

describe("safetensors", () => {
  it.effect("reads what the Python library writes", () =>
    Effect.gen(function* () {
      const { count, weight } = yield* Safetensors.decode(readFileSync(fixture))
      assert.deepStrictEqual(weight, NdArray.make([2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]))
      assert.deepStrictEqual(count, { shape: [1], data: Int32Array.of(7) })
    })
  )

  it.effect("there and back to the bit, equal arrays to equal bytes", () =>
    Effect.gen(function* () {
      const arrays = {
        b: { shape: [2], data: Float64Array.of(Math.PI, Number.NaN) },
        a: NdArray.make([1, 3], [Number.NEGATIVE_INFINITY, -0, 1e-45]),
        "1.*.1.weight": NdArray.full([], 3)
      }
      const bytes = Safetensors.encode(arrays)
      assert.deepStrictEqual(yield* Safetensors.decode(bytes), arrays)
      assert.deepStrictEqual(
        Safetensors.encode({ "1.*.1.weight": arrays["1.*.1.weight"], a: arrays.a, b: arrays.b }),
        bytes
      )
    })
  )

  it.effect("every cut-off file is refused", () =>
    Effect.gen(function* () {
      const bytes = Safetensors.encode({ a: NdArray.full([3], 1) })
      for (let length = 0; length < bytes.length; length++) {
        const error = yield* Effect.flip(Safetensors.decode(bytes.subarray(0, length)))
        assert.match(error.message, /^expected a whole safetensors file, but /)
      }
    })
  )

  const written = (header: unknown, numbers = new Float32Array(1)) => {
    const json = new TextEncoder().encode(JSON.stringify(header))
    const bytes = new Uint8Array(8 + json.length + numbers.byteLength)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
    bytes.set(json, 8)
    bytes.set(new Uint8Array(numbers.buffer), 8 + json.length)
    return bytes
  }

  it("what PyTorch says of itself is no array", () => {
    const header = { __metadata__: { format: "pt" }, a: { dtype: "F32", shape: [1], data_offsets: [0, 4] } }
    assert.deepStrictEqual(Effect.runSync(Safetensors.decode(written(header))), { a: NdArray.full([1], 0) })
  })

  for (const header of [
    5,
    [],
    null,
    { a: null },
    { a: { dtype: "F16", shape: [1], data_offsets: [0, 2] } },
    { a: { dtype: "F32", shape: [-1], data_offsets: [0, -4] } },
    { a: { dtype: "F32", shape: [1], data_offsets: [0] } },
    { a: { dtype: "F32", shape: ["1"], data_offsets: [0, 4] } }
  ])
    it(`${JSON.stringify(header)} is no header`, () => {
      const error = Effect.runSync(Effect.flip(Safetensors.decode(written(header))))
      assert.strictEqual(error.message, "expected a whole safetensors file, but its header is not one")
    })
})
