/**
 * The 16-bit floating-point numbers of FP16, which not every JavaScript has an array for.
 */

/** Rounds |x| < 2^51 to a whole number, halves to the even one, by the rounding of the sum. */
const roundEven = (x: number): number => x + 2 ** 52 - 2 ** 52

/** The bits of the half nearest to a number, IEEE 754's round to nearest, ties to even; infinity from 65,520. */
export const bits = (x: number): number => {
  if (Number.isNaN(x)) return 0x7e00
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  const size = Math.abs(x)
  if (size >= 65_520) return sign | 0x7c00
  // Below 2^-14 halves are multiples of 2^-24. A mantissa that is rounded up to the next power of two carries into the exponent.
  const exponent = Math.max(-14, Math.floor(Math.log2(size)))
  return sign + (exponent + 14) * 1024 + roundEven(size * 2 ** (10 - exponent))
}
