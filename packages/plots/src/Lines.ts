/**
 * Several series over one axis, such as the gradient norm at each stage under several methods.
 */
import { Effect } from "effect"
import { DataMismatch } from "./DataMismatch.ts"
import * as Axis from "./internal/Axis.ts"
import * as Curve from "./internal/Curve.ts"
import * as Legend from "./internal/Legend.ts"
import * as LogScale from "./internal/LogScale.ts"
import * as Palette from "./internal/Palette.ts"
import type { Place } from "./internal/Raster.ts"
import * as Svg from "./internal/Svg.ts"
import * as Theme from "./internal/Theme.ts"

/** One line. */
export interface Series {
  readonly name: string
  /**
   * [x, y], ascending in x. What is not finite breaks the line; on a logarithmic axis also what is not above zero, or below 1e-12 of the largest.
   */
  readonly points: ReadonlyArray<readonly [number, number]>
}

/** The series of one figure. */
export interface Settings {
  readonly title?: string
  readonly subtitle?: string
  /** The axis titles. */
  readonly x: string
  readonly y: string
  /** Whether y is logarithmic; true by default. */
  readonly logarithmic?: boolean
  /** Whether x is logarithmic; false by default. */
  readonly logarithmicX?: boolean
  /** Whether each point has a dot, for few points far apart; false by default. */
  readonly dots?: boolean
  readonly series: ReadonlyArray<Series>
}

const plot = { x: 64, width: 500, height: 250 }

/**
 * The lines as SVG. Fails with `DataMismatch` where no series has a point.
 *
 * ```ts
 * import { Lines } from "@rai/plots"
 * import { Effect } from "effect"
 *
 * const points = [1, 2, 3].map((stage) => [stage, 10 ** -stage] as const)
 * const svg = Effect.runSync(Lines.svg({ x: "stage", y: "gradient norm", series: [{ name: "backpropagation", points }] }))
 * console.log(svg.includes("gradient norm")) // => true
 * ```
 */
export const svg = Effect.fn("Lines.svg")(function* (settings: Settings) {
  const { dots = false, logarithmic = true, logarithmicX = false, series } = settings
  yield* check(series)
  const xs = series.flatMap(({ points }) => points.map(([x]) => x)).filter(Number.isFinite)
  const across = (logarithmicX ? LogScale.make : between)(xs)
  const scale = (logarithmic ? LogScale.make : linear)(series.flatMap(({ points }) => points.map(([, y]) => y)))
  const x = Math.max(plot.x, Axis.leftOf(scale.marks))
  const place: Place = { ...plot, x, y: Theme.headingsHeight([settings]) }
  const drawn = series.map(({ points }, i) => {
    const sound = ([x, y]: readonly [number, number]) =>
      Number.isFinite(x) && Number.isFinite(y) && !across.isBelow(x) && !scale.isBelow(y)
    const runs = Curve.runs(points, sound).map((run) =>
      run.map(
        ([x, y]) =>
          [place.x + across.position(x) * place.width, place.y + (1 - scale.position(y)) * place.height] as const
      )
    )
    if (runs.length === 0) return ""
    const stroke = Palette.stroke(i)
    const line = { class: "series", fill: "none", "stroke-width": 1.8, "stroke-linecap": "round" }
    const dot = ([cx, cy]: readonly [number, number]) => Svg.element("circle", { cx, cy, r: 3, fill: stroke.stroke })
    return [
      Svg.element("path", { ...line, ...stroke, d: runs.map(Curve.path).join("") }),
      ...(dots ? runs.flat().map(dot) : [])
    ].join("")
  })
  const below = place.y + place.height
  const rows = legend(series)
  return Theme.figure(
    { width: place.x + place.width + 18, height: below + 58 + 18 * rows.length },
    settings.title ?? `${settings.y} over ${settings.x}`,
    [
      Theme.headings(settings, place),
      Axis.grid(place, scale.marks),
      ...drawn,
      Axis.frame(place),
      Axis.bottom(place, across.marks, settings.x),
      Axis.left(place, scale.marks, settings.y),
      ...rows.map((row, i) => Legend.draw({ x: place.x, y: below + 58 + 18 * i }, row))
    ].join("")
  )
})

type Scale = Pick<LogScale.LogScale, "isBelow" | "marks" | "position">

/** From the least to the largest value. */
const between = (values: ReadonlyArray<number>): Scale => {
  const [low, high] = Axis.range([Math.min(...values), Math.max(...values)])
  const marks = Axis.fitting(low, high, 8, plot.width)
  return { marks, position: (value) => (value - low) / (high - low), isBelow: () => false }
}

/** From 0, or the least value below it, to somewhat above the largest. */
const linear = (values: ReadonlyArray<number>): Scale => {
  const finite = values.filter(Number.isFinite)
  const [least, most] = [Math.min(0, ...finite), Math.max(...finite, Number.NEGATIVE_INFINITY)]
  const high = most > least ? least + (most - least) * 1.05 : least + 1
  return {
    marks: Axis.linear(least, high, 6),
    position: (value) => (value - least) / (high - least),
    isBelow: () => false
  }
}

/** Arranges the names in rows that fit the plot's width. */
const legend = (series: ReadonlyArray<Series>): ReadonlyArray<ReadonlyArray<Legend.Entry>> => {
  const rows: Array<Array<Legend.Entry>> = [[]]
  let used = 0
  for (const [i, { name }] of series.entries()) {
    const width = Legend.width(name)
    if (used > 0 && used + width > plot.width) {
      rows.push([])
      used = 0
    }
    used += width
    rows.at(-1)!.push({
      name,
      mark: (x, y) =>
        Svg.element("line", { x1: x, x2: x + 16, y1: y, y2: y, "stroke-width": 1.8, ...Palette.stroke(i) })
    })
  }
  return rows
}

const check = (series: ReadonlyArray<Series>) =>
  series.some(({ points }) => points.some(([x]) => Number.isFinite(x)))
    ? Effect.void
    : Effect.fail(
        new DataMismatch({
          figure: "Lines",
          expected: "a point with a finite x in one series or more",
          came: "none",
          remedy: "give the points of each series as [x, y]"
        })
      )
