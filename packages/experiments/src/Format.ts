/**
 * Formats numbers for a page.
 */

/** 0.0312, 1.2e-7; – if there is none. */
export const number = (value: number | undefined): string => {
  if (value === undefined || Number.isNaN(value)) return "–"
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞"
  const size = Math.abs(value)
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(1) : value.toFixed(4)
  return text.replace("-", "−").replace("e+", "e")
}

/** 98.7 %; – if there is none. */
export const percent = (share: number | undefined): string =>
  share === undefined || Number.isNaN(share) ? "–" : `${(100 * share).toFixed(1)} %`

/** 98.7 ± 0.4 % */
export const deviating = (mean: number, deviation: number): string =>
  `${(100 * mean).toFixed(1)} ± ${(100 * deviation).toFixed(1)} %`

/** 0.52 s, 12.3 s; 15:19 min from a minute on. */
export const seconds = (value: number): string => {
  if (value < 60) return `${value.toFixed(value < 1 ? 2 : 1)} s`
  const whole = Math.round(value)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`
}
