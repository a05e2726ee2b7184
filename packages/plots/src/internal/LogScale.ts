/**
 * A logarithmic scale over any numbers: non-finite, zero and negative ones do not affect it.
 */
import type { Mark } from "./Axis.ts"

/** `position` maps the domain to [0, 1]: values below it to 0, which `isBelow` tells apart, above it to 1, and NaN to NaN. */
export interface LogScale {
  readonly domain: readonly [number, number]
  /** At powers of ten with minor ticks in between; over few decades at 1, 2 and 5. */
  readonly marks: ReadonlyArray<Mark>
  readonly position: (value: number) => number
  readonly isBelow: (value: number) => boolean
}

// Below this fraction of the largest value nothing can be told apart on paper.
const depth = 1e-12

// Powers of ten beyond these under- or overflow and cannot be divided by.
const reach = [1e-300, 1e300] as const

const superscript = (exponent: number): string =>
  [...String(exponent)].map((digit) => (digit === "-" ? "⁻" : ("⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)] ?? ""))).join("")

const power = (exponent: number): number => Number(`1e${exponent}`)

const steps = [1, 2, 5, 10]

/** The nearest 1, 2 or 5 × 10ᵏ that is not above (`down`) or not below (`up`) the value. */
const nice = (value: number, direction: "down" | "up"): number => {
  const unit = power(Math.floor(Math.log10(value)))
  const step =
    direction === "down"
      ? steps.findLast((candidate) => candidate * unit <= value * (1 + 1e-9))
      : steps.find((candidate) => candidate * unit >= value * (1 - 1e-9))
  return Number(((step ?? 1) * unit).toPrecision(1))
}

interface Tick {
  readonly value: number
  readonly label: string
}

const digits = [1, 2, 3, 4, 5, 6, 7, 8, 9]

const plain = (value: number): string =>
  value >= 1e-4 && value < 1e5 ? String(value) : value.toExponential().replace("-", "−")

const ticksOf = (low: number, high: number): ReadonlyArray<Tick> => {
  const first = Math.floor(Math.log10(low) + 1e-9)
  const last = Math.floor(Math.log10(high) + 1e-9)
  const decades = Math.log10(high / low)
  const stride = Math.ceil(decades / 6)
  const exponents = Array.from({ length: last - first + 1 }, (_, i) => last - i)
  const ticks = exponents.flatMap((exponent, i) =>
    digits.map((digit) => {
      const value = Number((digit * power(exponent)).toPrecision(1))
      if (decades <= 2.5) return { value, label: [1, 2, 5].includes(digit) ? plain(value) : "" }
      return { value, label: digit === 1 && i % stride === 0 ? `10${superscript(exponent)}` : "" }
    })
  )
  const within = ticks.filter(({ value }) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
  return stride === 1 ? within : within.filter(({ label }) => label !== "")
}

/** The scale that covers every positive finite value; [0.1, 1] if there is none. */
export const make = (values: Iterable<number>): LogScale => {
  let smallest = Number.POSITIVE_INFINITY
  let largest = 0
  for (const value of values) {
    if (!(value > 0 && value < Number.POSITIVE_INFINITY)) continue
    const held = Math.min(reach[1], Math.max(reach[0], value))
    smallest = Math.min(smallest, held)
    largest = Math.max(largest, held)
  }
  const high = largest === 0 ? 1 : nice(largest, "up")
  const low = largest === 0 ? 0.1 : Math.min(nice(Math.max(smallest, largest * depth), "down"), high / 10)
  const span = Math.log10(high / low)
  const position = (value: number): number =>
    Number.isNaN(value) ? Number.NaN : value <= low ? 0 : Math.min(1, Math.log10(value / low) / span)
  return {
    domain: [low, high],
    marks: ticksOf(low, high).map(({ value, label }) => ({ at: position(value), label })),
    position,
    // The domain begins at a round number, which the smallest value may miss by a rounding error.
    isBelow: (value) => value < low * (1 - 1e-9)
  }
}
