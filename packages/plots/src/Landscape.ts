/**
 * The decision landscape: the probability over the plane of two inputs, the boundary at ½, and the examples.
 */
import type { NdArray } from "@rai/core"
import { Effect } from "effect"
import { DataMismatch } from "./DataMismatch.ts"
import * as Axis from "./internal/Axis.ts"
import * as Boundary from "./internal/Boundary.ts"
import * as Curve from "./internal/Curve.ts"
import * as Legend from "./internal/Legend.ts"
import * as Marker from "./internal/Marker.ts"
import * as Raster from "./internal/Raster.ts"
import * as Svg from "./internal/Svg.ts"
import * as Theme from "./internal/Theme.ts"

/** An example: its two inputs and its class, 0 or 1. */
export interface Point {
  readonly x: number
  readonly y: number
  readonly label: number
}

/** What the landscapes of one figure share: the square that they cover, and its names. */
export interface Plane {
  /** Both inputs run over [low, high]; [-3, 3] unless told. */
  readonly extent?: readonly [number, number]
  /** Cells along a side, n; 200 unless told. */
  readonly grid?: number
  readonly inputNames?: readonly [string, string]
  readonly classNames?: ReadonlyArray<string>
}

/** One landscape. */
export interface Panel {
  readonly title?: string
  /** What else to say, such as the accuracy. */
  readonly subtitle?: string
  /** The probability of class 1 at each cell's centre, [n, n] row-major, the lowest y first; NaN where there is none. */
  readonly probability: ArrayLike<number>
  readonly points?: ReadonlyArray<Point>
}

const planeOf = (plane: Plane) => ({ extent: plane.extent ?? ([-3, 3] as const), n: plane.grid ?? 200 })

/**
 * The inputs to evaluate a circuit on, float32 [n², 2]: the cells' centres, in the order that `probability` has.
 *
 * ```ts
 * import { Landscape } from "@rai/plots"
 *
 * const inputs = Landscape.inputs({ extent: [-3, 3], grid: 3 })
 * console.log(inputs.shape) // => [ 9, 2 ]
 * console.log(inputs.data.slice(0, 6)) // => Float32Array(6) [ -2, -2, 0, -2, 2, -2 ]
 * ```
 */
export const inputs = (plane: Plane = {}): NdArray.NdArray => {
  const { extent, n } = planeOf(plane)
  const centre = (cell: number): number => extent[0] + ((cell + 0.5) / n) * (extent[1] - extent[0])
  const data = new Float32Array(n * n * 2)
  for (let i = 0; i < n * n; i++) data.set([centre(i % n), centre(Math.floor(i / n))], 2 * i)
  return { shape: [n * n, 2], data }
}

/**
 * One landscape as SVG; fails with `DataMismatch` unless there are n² probabilities.
 *
 * ```ts
 * import { Landscape } from "@rai/plots"
 * import { Effect } from "effect"
 *
 * const plane = { extent: [-3, 3], grid: 50 } as const
 * const { data } = Landscape.inputs(plane)
 * const probability = Float32Array.from({ length: 50 * 50 }, (_, i) => 1 / (1 + Math.exp(-data[2 * i]!)))
 * const svg = Effect.runSync(Landscape.svg({ ...plane, title: "x₁ > 0", probability }))
 * console.log(svg.startsWith("<svg")) // => true
 * ```
 */
export const svg = (settings: Plane & Panel): Effect.Effect<string, DataMismatch> =>
  panel({ ...settings, panels: [settings] })

/** Landscapes side by side on one colour scale, such as backpropagation and RAI; fails with `DataMismatch` as `svg` does. */
export const panel = Effect.fn("Landscape.panel")(function* (
  settings: Plane & { readonly panels: ReadonlyArray<Panel> }
) {
  const { extent, n } = planeOf(settings)
  yield* check(extent, n, settings.panels)
  const top = Theme.headingsHeight(settings.panels)
  const places = settings.panels.map((_, i) => ({ x: 52 + i * (side + gap), y: top, width: side, height: side }))
  const end = 52 + places.length * (side + gap) - gap
  const marks = Axis.linear(extent[0], extent[1], 6)
  const [across, up] = settings.inputNames ?? ["x₁", "x₂"]
  const parts = settings.panels.map((content, i) => {
    const place = places[i]!
    return [
      Theme.headings(content, { x: place.x, width: side }),
      Svg.element("g", { "clip-path": `url(#plot${i})` }, landscape(content, place, extent, n)),
      Axis.frame(place),
      Axis.bottom(place, marks, across),
      Axis.left(place, marks, i === 0 ? up : undefined)
    ].join("")
  })
  const scale = [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, label: String(at) }))
  const classes = [0, 1].map((label) => settings.classNames?.[label] ?? `class ${label}`)
  const missing = settings.panels.some(({ probability }) => Array.from(probability).some(Number.isNaN))
  return Theme.figure(
    { width: end + 84, height: top + side + 72 },
    settings.panels
      .flatMap(({ title, subtitle }) => [title, subtitle])
      .filter(Boolean)
      .join(", ") || "Decision landscape",
    [
      Svg.element("defs", {}, Raster.definitions, Axis.definitions, ...places.map(clip)),
      ...parts,
      Axis.colourBar({ x: end + 16, y: top, width: 14, height: side }, scale, `probability of ${classes[1]}`),
      Legend.draw({ x: 52, y: top + side + 58 }, Marker.entries(classes, missing))
    ].join("")
  )
})

const side = 300
const gap = 22

const clip = (place: Raster.Place, i: number): string =>
  Svg.element("clipPath", { id: `plot${i}` }, Svg.element("rect", { ...place }))

const landscape = (content: Panel, place: Raster.Place, [low, high]: readonly [number, number], n: number): string => {
  const across = (share: number): number => place.x + share * place.width
  const up = (share: number): number => place.y + (1 - share) * place.height
  const lines = Boundary.at(0.5, content.probability, n).map((line) =>
    Curve.path(line.map(([x, y]) => [across(x / n), up(y / n)]))
  )
  const points = (content.points ?? []).filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
  const radius = Math.min(3.6, Math.max(1.8, 3.6 * Math.sqrt(150 / Math.max(1, points.length))))
  return [
    Raster.image({ width: n, height: n, positions: content.probability }, place),
    Marker.boundary(lines.join("")),
    ...points.map(({ x, y, label }) =>
      Marker.point(label, across((x - low) / (high - low)), up((y - low) / (high - low)), radius)
    )
  ].join("")
}

const check = ([low, high]: readonly [number, number], n: number, panels: ReadonlyArray<Panel>) => {
  const mismatch = (expected: string, came: string, remedy: string) =>
    Effect.fail(new DataMismatch({ figure: "Landscape", expected, came, remedy }))
  if (!(Number.isFinite(low) && Number.isFinite(high) && low < high))
    return mismatch(
      "an extent [low, high] with low < high",
      `[${low}, ${high}]`,
      "give two finite numbers, the lower first"
    )
  if (!Number.isInteger(n) || n < 2)
    return mismatch("a grid of 2 cells a side or more", String(n), "give a whole number such as 200")
  if (panels.length === 0)
    return mismatch("one panel or more", "none", "give a probability for each cell of one at least")
  const wrong = panels.find(({ probability }) => probability.length !== n * n)
  return wrong === undefined
    ? Effect.void
    : mismatch(
        `${n * n} probabilities (${n}×${n})`,
        String(wrong.probability.length),
        "set grid to the number of cells a side, and evaluate at Landscape.inputs"
      )
}
