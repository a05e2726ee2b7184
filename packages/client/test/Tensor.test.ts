import { assert, it } from "@effect/vitest"
import * as Half from "../src/Half.ts"
import * as Tensor from "../src/Tensor.ts"

/** The value of a half by IEEE 754's definition. */
const valueOf = (bits: number): number => {
  const [exponent, mantissa] = [(bits >> 10) & 31, bits & 1023]
  const size = exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25)
  return bits >= 0x8000 ? -size : size
}

it("numbers become the nearest halves, and every half its own", () => {
  for (let bits = 0; bits < 0x7c00; bits++) {
    const value = valueOf(bits)
    const middle = (value + valueOf(bits + 1)) / 2
    const even = bits % 2 === 0 ? bits : bits + 1
    for (const [sign, factor] of [
      [0, 1],
      [0x8000, -1]
    ] as const) {
      assert.strictEqual(Half.bits(factor * value), sign + bits)
      assert.strictEqual(Half.bits(factor * middle), sign + even)
      assert.strictEqual(Half.bits(factor * middle * (1 - 2 ** -50)), sign + bits)
      assert.strictEqual(Half.bits(factor * middle * (1 + 2 ** -50)), sign + bits + 1)
    }
  }
  const { Float16Array } = globalThis as unknown as {
    Float16Array?: new (values: ReadonlyArray<number>) => Uint16Array
  }
  const numbers = [Number.NaN, Number.POSITIVE_INFINITY, -0, 1e-9, 0.1, -2049, 65_519]
  const { data } = Tensor.make("FP16", [7], numbers)
  assert.deepStrictEqual([...data], [0x7e00, 0x7c00, 0x8000, 0, 0x2e66, 0xe800, 0x7bff])
  if (Float16Array === undefined) return
  const halves = new Float16Array(numbers)
  assert.deepStrictEqual(data, new Uint16Array(halves.buffer))
  const seen = Tensor.make("FP16", [7], halves).data
  assert.strictEqual(seen.buffer, halves.buffer)
  assert.deepStrictEqual(seen, data)
})

it("what a datatype does not hold is refused, and never wrapped", () => {
  const why = <D extends Tensor.Datatype>(datatype: D, values: ReadonlyArray<Tensor.Element<D>>) => {
    try {
      return String(Tensor.make(datatype, [values.length], values).data)
    } catch (error) {
      return (error as Error).message
    }
  }
  const refused = (datatype: string, expected: string, index: number, came: string) =>
    `each element of ${datatype} is ${expected}; element ${index} is ${came}; correct it, or choose another datatype`
  const bytes = "a whole number from 0 to 255"
  assert.strictEqual(why("UINT8", [255, 300]), refused("UINT8", bytes, 1, "300"))
  assert.strictEqual(why("UINT8", [-1]), refused("UINT8", bytes, 0, "-1"))
  assert.strictEqual(why("UINT8", [0.7]), refused("UINT8", bytes, 0, "0.7"))
  assert.strictEqual(why("UINT8", [Number.NaN]), refused("UINT8", bytes, 0, "NaN"))
  const long = "a bigint from -9223372036854775808n to 9223372036854775807n"
  assert.strictEqual(why("INT64", [2n ** 63n]), refused("INT64", long, 0, "9223372036854775808n"))
  assert.strictEqual(why("INT64", [1 as never]), refused("INT64", long, 0, "1"))
  assert.strictEqual(why("BOOL", [true, 2]), refused("BOOL", "true or false", 1, "2"))
  assert.strictEqual(why("FP16", [65_520]), refused("FP16", "a number up to ±65504, NaN or an infinity", 0, "65520"))
  assert.strictEqual(
    why("FP32", [-3.5e38]),
    refused("FP32", "a number up to ±3.4028235e38, NaN or an infinity", 0, "-3.5e+38")
  )
  assert.strictEqual(why("BYTES", ["a", 5 as never]), refused("BYTES", "a string", 1, "5"))
  assert.strictEqual(
    why("FP32", [3.4028235e38, Number.NEGATIVE_INFINITY, Number.NaN]),
    "3.4028234663852886e+38,-Infinity,NaN"
  )
  assert.strictEqual(why("FP64", [Number.MAX_VALUE]), "1.7976931348623157e+308")
})
