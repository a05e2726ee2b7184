/**
 * A live curve of the last two minutes.
 */
import { span } from "./Models.ts"

/** A curve; `show` gets the times, in seconds, and each line's values at them, null where there is none. */
export interface Curve {
  readonly show: (at: ReadonlyArray<number>, lines: ReadonlyArray<ReadonlyArray<number | null>>) => void
}

/** How a curve looks: its height, its lines' colours as names of CSS variables, and whether it has axes. */
export interface Look {
  readonly height: number
  readonly colours: ReadonlyArray<string>
  readonly axes: boolean
}

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name)

/** Rounds up to the next of 1, 2, 4, 10, 20, …, so that the axis stands still while the curve moves. */
const top = (value: number): number => {
  const power = 10 ** Math.floor(Math.log10(value || 1))
  return power * [1, 2, 4, 10].find((step) => step * power >= value)!
}

const brief = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 })

/** Indices of values between two moments without any, which no line would show. */
const alone = (plot: uPlot, line: number): Array<number> => {
  const values = plot.data[line]!
  return [...values.keys()].filter((i) => values[i] != null && values[i - 1] == null && values[i + 1] == null)
}

const axis = { font: "11px system-ui, sans-serif", stroke: () => colour("--quiet"), ticks: { show: false } }

/** Puts a curve into an element, as wide as the element. */
export const make = (host: HTMLElement, { height, colours, axes }: Look): Curve => {
  const grid = { show: axes, stroke: () => colour("--line"), width: 1 }
  const options: uPlot.Options = {
    width: host.clientWidth,
    height,
    padding: axes ? [6, 16, 0, 0] : [2, 0, 2, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: (_, __, last) => [last - span, last] },
      y: { range: (_, __, most) => [0, top(most)] }
    },
    axes: axes
      ? [
          {
            ...axis,
            size: 24,
            gap: 7,
            grid: { show: false },
            splits: (_, __, first, last) => [first, (first + last) / 2, last],
            values: () => ["−2 min", "−1 min", "now"]
          },
          {
            ...axis,
            size: 42,
            gap: 4,
            grid,
            splits: (_, __, low, high) => [low, (low + high) / 2, high],
            values: (_, values) => values.map((value) => brief.format(value))
          }
        ]
      : [{ show: false }, { show: false }],
    series: [
      {},
      ...colours.map((name, i) => ({
        stroke: () => colour(name),
        ...(i === 0 ? { fill: () => `color-mix(in srgb, ${colour(name)} 14%, transparent)` } : {}),
        width: 1.5,
        points: { show: true, size: 4, fill: () => colour(name), filter: alone }
      }))
    ]
  }
  const plot = new uPlot(options, [[], ...colours.map(() => [])], host)
  new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height })).observe(host)
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw())
  return { show: (at, lines) => plot.setData([[...at], ...lines.map((line) => [...line])]) }
}
