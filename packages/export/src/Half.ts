/**
 * The 16-bit floating-point numbers of ONNX's float16, which not every JavaScript has an array for.
 */

/** Nearest float16 to |x|, as count · 2^(exponent − 10) with count ≤ 2048; ties go to the even one. */
const nearest = (x: number) => {
  const [bits] = new Uint32Array(Float32Array.of(x).buffer)
  const exponent = Math.max(((bits! >>> 23) & 255) - 127, -14)
  return { exponent, count: Math.abs(x) / 2 ** (exponent - 10) + 2 ** 52 - 2 ** 52 }
}

const isNegative = (x: number): boolean => x < 0 || Object.is(x, -0)

/** Rounds to the nearest float16; undefined beyond its range, 65504. */
export const rounded = (x: number): number | undefined => {
  const { count, exponent } = nearest(x)
  const magnitude = count * 2 ** (exponent - 10)
  return magnitude <= 65504 ? (isNegative(x) ? -magnitude : magnitude) : undefined
}

/** The sixteen bits of the nearest float16: its sign, its exponent and the rest of `count`, which carries into the exponent; ∞ beyond the range. */
export const bits = (x: number): number => {
  if (Number.isNaN(x)) return 0x7e00
  const sign = isNegative(x) ? 0x8000 : 0
  if (rounded(x) === undefined) return sign + 0x7c00
  const { count, exponent } = nearest(x)
  return sign + ((exponent + 14) << 10) + count
}

/** The number of sixteen bits. */
export const number = (of: number): number => {
  const [sign, exponent, fraction] = [of >> 15 === 0 ? 1 : -1, (of >> 10) & 31, of & 1023]
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}
