/**
 * The marks on a landscape: classes differ in colour and in shape, so that they can be told apart in grey print too; and the boundary.
 */
import * as Legend from "./Legend.ts"
import * as Svg from "./Svg.ts"
import * as Theme from "./Theme.ts"
import * as Viridis from "./Viridis.ts"

const circle = (x: number, y: number, radius: number, fill: string): string =>
  Svg.element("circle", { cx: x, cy: y, r: radius, fill })

const diamond = (x: number, y: number, radius: number, fill: string): string => {
  const r = Svg.round(radius * 1.3)
  return Svg.element("path", { d: `M${Svg.round(x)},${Svg.round(y)}m0,${-r}l${r},${r}l${-r},${r}l${-r},${-r}z`, fill })
}

/** An example in its class's end of viridis with a white outline; a hairline keeps the outline visible on a light background. */
export const point = (label: number, x: number, y: number, radius: number): string => {
  const form = label > 0.5 ? diamond : circle
  const outline = radius * 0.35
  return (
    form(x, y, radius + outline + 0.5, "#333333") +
    form(x, y, radius + outline, "#ffffff") +
    form(x, y, radius, Viridis.css(label > 0.5 ? 0.97 : 0.03))
  )
}

/** The boundary along path data: a dark line on a light one, visible on any background. */
export const boundary = (data: string): string => {
  const line = { d: data, fill: "none", "stroke-linejoin": "round", "stroke-linecap": "round" }
  return data === ""
    ? ""
    : Svg.element("path", { ...line, stroke: "#ffffff", "stroke-width": 3.4 }) +
        Svg.element("path", { ...line, stroke: Theme.ink.line, "stroke-width": 1.6, class: "boundary" })
}

/** A patch of the background where a class is certain. */
const patch = (label: number, x: number, y: number): string =>
  Svg.element("rect", { x, y: y - 6, width: 16, height: 12, fill: Viridis.css(label) })

/** The legend entries: both classes, by their examples where these are drawn and by their backgrounds elsewhere, the boundary, and the hatching. */
export const entries = (
  classes: ReadonlyArray<string>,
  { hasPoints, missing }: { readonly hasPoints: boolean; readonly missing: boolean }
): ReadonlyArray<Legend.Entry> => [
  ...classes.map(
    (name, label): Legend.Entry => ({
      name,
      mark: (x, y) => (hasPoints ? point(label, x + 8, y, 3.6) : patch(label, x, y))
    })
  ),
  {
    name: "boundary",
    mark: (x, y) =>
      Svg.element("line", { x1: x, x2: x + 16, y1: y, y2: y, stroke: Theme.ink.line, "stroke-width": 1.6 })
  },
  ...(missing ? [Legend.missing] : [])
]
