/**
 * The error function in float64.
 */

/** erf x = 2/√π ∫₀ˣ e^(−t²) dt = 2/√π e^(−x²) Σ_n 2ⁿ x^(2n+1) / (1·3·…·(2n+1)), a sum whose terms all have the same sign. */
export const erf = (x: number): number => {
  // Beyond 6 it equals ±1 to within float64 precision.
  if (Math.abs(x) > 6) return Math.sign(x)
  let [sum, term] = [x, x]
  for (let n = 1; Math.abs(term) > Number.EPSILON * Math.abs(sum) * 0.1; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return Math.max(-1, Math.min(1, (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum))
}
