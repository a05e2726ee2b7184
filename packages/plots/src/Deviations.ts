/**
 * Contestants compared: each run as a dot, each contestant's mean and deviation as a bar.
 */
import { deviation, mean } from "d3-array"
import { Effect } from "effect"
import { DataMismatch } from "./DataMismatch.ts"
import * as Axis from "./internal/Axis.ts"
import * as Legend from "./internal/Legend.ts"
import * as LogScale from "./internal/LogScale.ts"
import * as Palette from "./internal/Palette.ts"
import type { Place } from "./internal/Raster.ts"
import * as Svg from "./internal/Svg.ts"
import * as Theme from "./internal/Theme.ts"

/** A contestant and the value of each of its runs; values that are not finite are left out. */
export interface Row {
  readonly name: string
  readonly values: ReadonlyArray<number>
  /** Whether it is a control that the others are compared with, drawn in another colour. */
  readonly control?: boolean
}

/** The contestants of one figure, from top to bottom. */
export interface Settings {
  readonly title?: string
  readonly subtitle?: string
  /** The axis title. */
  readonly value: string
  /** The ends of the axis; by default the range of the values, with a margin. */
  readonly extent?: readonly [number, number]
  readonly logarithmic?: boolean
  readonly rows: ReadonlyArray<Row>
}

const height = 24
const width = 330

/**
 * The figure as SVG. Fails with `DataMismatch` where there is no row.
 *
 * ```ts
 * import { Deviations } from "@rai/plots"
 * import { Effect } from "effect"
 *
 * const rows = [{ name: "RAI", values: [0.98, 0.99, 1] }, { name: "backpropagation", values: [0.5, 0.5, 0.51], control: true }]
 * const svg = Effect.runSync(Deviations.svg({ value: "accuracy", rows, extent: [0, 1] }))
 * console.log(svg.match(/class="run"/g)?.length) // => 6
 * ```
 */
export const svg = Effect.fn("Deviations.svg")(function* (settings: Settings) {
  const { rows } = settings
  if (rows.length === 0) {
    const remedy = "give the values of one contestant at least"
    return yield* new DataMismatch({ figure: "Deviations", expected: "one row or more", came: "none", remedy })
  }
  const left = 26 + 6.4 * Math.max(...rows.map(({ name }) => name.length))
  const place: Place = { x: left, y: Theme.headingsHeight([settings]), width, height: height * rows.length }
  const scale = scaleOf(settings)
  const below = place.y + place.height
  return Theme.figure(
    { width: left + width + 24, height: below + 74 },
    settings.title ?? settings.value,
    [
      Theme.headings(settings, { x: 12, width: left + width }),
      ...scale.marks.filter(({ label }) => label !== "").map(({ at }) => rule(place.x + at * width, place)),
      ...rows.map((row, i) =>
        one(row, place.y + (i + 0.5) * height, (value) => place.x + scale.position(value) * width)
      ),
      Axis.frame(place),
      ...rows.map(({ name }, i) =>
        Svg.text(name, { x: left - 9, y: place.y + (i + 0.5) * height + 4, "text-anchor": "end" })
      ),
      Axis.bottom(place, scale.marks, settings.value),
      Legend.draw({ x: 12, y: below + 60 }, legend(rows))
    ].join("")
  )
})

const rule = (x: number, { height: tall, y }: Place): string =>
  Svg.element("line", { x1: x, x2: x, y1: y, y2: y + tall, stroke: Theme.ink.grid })

const colour = (control: boolean | undefined): string => Palette.stroke(control === true ? 1 : 0).stroke

const one = ({ control, name, values }: Row, y: number, x: (value: number) => number): string => {
  const stroke = colour(control)
  const finite = values.filter(Number.isFinite)
  const [centre, spread = 0] = [mean(finite), deviation(finite)]
  const dots = finite.map((value) =>
    Svg.element("circle", { class: "run", cx: x(value), cy: y, r: 3, fill: stroke, "fill-opacity": 0.35 })
  )
  if (centre === undefined) return Svg.text("no number", { x: x(Number.NEGATIVE_INFINITY) + 6, y: y + 4 })
  const [from, to] = [x(centre - spread), x(centre + spread)]
  return [
    Svg.element("title", {}, Svg.escape(`${name}: ${centre} ± ${spread}`)),
    ...dots,
    Svg.element("line", { class: "deviation", x1: from, x2: to, y1: y, y2: y, stroke, "stroke-width": 2 }),
    Svg.element("line", {
      class: "mean",
      x1: x(centre),
      x2: x(centre),
      y1: y - 7,
      y2: y + 7,
      stroke,
      "stroke-width": 2.4
    })
  ].join("")
}

interface Scale {
  readonly marks: ReadonlyArray<Axis.Mark>
  readonly position: (value: number) => number
}

const within = (share: number): number => Math.min(1, Math.max(0, share))

const scaleOf = ({ extent, logarithmic = false, rows }: Settings): Scale => {
  const values = rows.flatMap((row) => row.values).filter(Number.isFinite)
  if (logarithmic) return LogScale.make(values)
  const [low, high] = extent ?? [Math.min(...values), Math.max(...values)]
  const room = extent !== undefined ? 0 : high > low ? 0.05 * (high - low) : 1
  const [from, to] = values.length === 0 && extent === undefined ? [0, 1] : [low - room, high + room]
  return { marks: Axis.linear(from, to, 6), position: (value) => within((value - from) / (to - from)) }
}

const legend = (rows: ReadonlyArray<Row>): ReadonlyArray<Legend.Entry> => {
  const dot = (x: number, y: number) =>
    Svg.element("circle", { cx: x + 8, cy: y, r: 3, fill: Theme.ink.text, "fill-opacity": 0.35 })
  const bar = (stroke: string) => (x: number, y: number) =>
    Svg.element("path", { d: `M${x},${y}h16m-8,-6v12`, stroke, "stroke-width": 2, fill: "none" })
  return [
    { name: "a run", mark: dot },
    { name: "mean ± deviation", mark: bar(colour(false)) },
    ...(rows.some(({ control }) => control) ? [{ name: "of a control", mark: bar(colour(true)) }] : [])
  ]
}
