/**
 * Axes: ticks outside the frame, numbers and a title; and the colour bar, an axis with a colour at each position.
 */
import { ticks } from "d3-array"
import type { Place } from "./Raster.ts"
import * as Svg from "./Svg.ts"
import * as Theme from "./Theme.ts"
import * as Viridis from "./Viridis.ts"

/** A tick at a fraction of the axis' length, counted from the left or from the bottom. */
export interface Mark {
  readonly at: number
  readonly label: string
}

/** About `count` ticks at round numbers on a linear axis. */
export const linear = (low: number, high: number, count: number): ReadonlyArray<Mark> =>
  ticks(low, high, count).map((value) => ({
    at: (value - low) / (high - low),
    label: String(value).replace("-", "−")
  }))

/** Width of a number's text in pixels; a bound, as even the widest digits are narrower. */
const widthOf = (label: string): number => 6.2 * label.length

/** Width in pixels that the numbers and the title to the left of a plot need. */
export const leftOf = (...marks: ReadonlyArray<ReadonlyArray<Mark>>): number =>
  Math.max(29, ...marks.flat().map(({ label }) => 10 + widthOf(label))) + 23

/** Round ticks under a plot of the given width, at most about `count` and no more than have room for their numbers. */
export const fitting = (low: number, high: number, count: number, width: number): ReadonlyArray<Mark> => {
  const marks = linear(low, high, count)
  const widest = Math.max(0, ...marks.map(({ label }) => widthOf(label)))
  return count <= 2 || marks.length * (widest + 12) <= width ? marks : fitting(low, high, count - 1, width)
}

/** The first and the last of ascending steps; a single step is widened by 1. */
export const range = (steps: ReadonlyArray<number>): readonly [number, number] => {
  const first = steps[0] ?? 0
  const last = steps.at(-1) ?? first
  return last > first ? [first, last] : [first, first + 1]
}

const length = 4

// A tick without a number is a minor tick.
const reach = (label: string): number => (label === "" ? length / 2 : length)

const tick = (x1: number, y1: number, x2: number, y2: number): string =>
  Svg.element("line", { x1, y1, x2, y2, stroke: Theme.ink.line, "stroke-width": 1 })

/** The frame around a plot. */
export const frame = (place: Place): string =>
  Svg.element("rect", { ...place, fill: "none", stroke: Theme.ink.line, "stroke-width": 1 })

/** Faint lines across a plot at the numbered ticks of its left axis. */
export const grid = (place: Place, marks: ReadonlyArray<Mark>): string =>
  marks
    .filter(({ at, label }) => label !== "" && at > 0 && at < 1)
    .map(({ at }) => {
      const y = place.y + (1 - at) * place.height
      return Svg.element("line", { x1: place.x, x2: place.x + place.width, y1: y, y2: y, stroke: Theme.ink.grid })
    })
    .join("")

/** The axis below a plot; without a title it shows only its ticks, as above a plot that shares it. */
export const bottom = (place: Place, marks: ReadonlyArray<Mark>, title?: string): string => {
  const edge = place.y + place.height
  const drawn = marks.map(({ at, label }) => {
    const x = place.x + at * place.width
    const number = Svg.text(label, { x, y: edge + 17, "text-anchor": "middle" })
    return tick(x, edge, x, edge + reach(label)) + (title === undefined || label === "" ? "" : number)
  })
  const at = { x: place.x + place.width / 2, y: edge + 35, "text-anchor": "middle", "font-size": Theme.fontSize.axis }
  return drawn.join("") + (title === undefined ? "" : Svg.text(title, at))
}

/** The axis to the left of a plot; without a title it shows only its ticks, as beside a plot that shares it. */
export const left = (place: Place, marks: ReadonlyArray<Mark>, title?: string): string => {
  const drawn = marks.map(({ at, label }) => {
    const y = place.y + (1 - at) * place.height
    const number = Svg.text(label, { x: place.x - 7, y: y + 4, "text-anchor": "end" })
    return tick(place.x - reach(label), y, place.x, y) + (title === undefined || label === "" ? "" : number)
  })
  return drawn.join("") + (title === undefined ? "" : upright(title, place.x - leftOf(marks) + 16, place))
}

const upright = (title: string, x: number, place: Place): string => {
  const y = place.y + place.height / 2
  return Svg.text(title, {
    x,
    y,
    transform: `rotate(-90 ${Svg.round(x)} ${Svg.round(y)})`,
    "text-anchor": "middle",
    "font-size": Theme.fontSize.axis
  })
}

/** The colour bar: viridis from bottom to top, with ticks and title on the right. */
export const colourBar = (place: Place, marks: ReadonlyArray<Mark>, title: string): string => {
  const edge = place.x + place.width
  const widest = Math.max(0, ...marks.map(({ label }) => widthOf(label)))
  const drawn = marks.map(({ at, label }) => {
    const y = place.y + (1 - at) * place.height
    return tick(edge, y, edge + reach(label), y) + (label === "" ? "" : Svg.text(label, { x: edge + 7, y: y + 4 }))
  })
  return (
    Svg.element("rect", { ...place, fill: "url(#viridis)" }) +
    frame(place) +
    drawn.join("") +
    upright(title, edge + 22 + widest, place)
  )
}

/** The colour bar's gradient, defined once per figure. */
export const definitions = Svg.element(
  "linearGradient",
  { id: "viridis", x1: 0, y1: 1, x2: 0, y2: 0 },
  ...Array.from({ length: 33 }, (_, i) =>
    Svg.element("stop", { offset: `${(i / 32) * 100}%`, "stop-color": Viridis.css(i / 32) })
  )
)
