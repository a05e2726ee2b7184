/**
 * The decision landscape: the probability over the plane of two inputs, the boundary at ½, and the examples.
 */
import { Effect } from "effect"
import { DataMismatch } from "./DataMismatch.ts"
import * as Axis from "./internal/Axis.ts"
import * as Boundary from "./internal/Boundary.ts"
import * as Curve from "./internal/Curve.ts"
import * as Legend from "./internal/Legend.ts"
import * as Marker from "./internal/Marker.ts"
import * as Raster from "./internal/Raster.ts"
import * as Sample from "./internal/Sample.ts"
import * as Svg from "./internal/Svg.ts"
import * as Theme from "./internal/Theme.ts"
import * as Plane from "./Plane.ts"

/** One landscape. */
export interface Panel {
  readonly title?: string
  /** Further information, such as the accuracy. */
  readonly subtitle?: string
  /** Probability of class 1 at the centre of each cell, [n, n] row-major, lowest y first; NaN where there is none. */
  readonly probability: ArrayLike<number>
  /** Of more than 5,000, a fair sample of 5,000 is drawn, and the subtitle says so. */
  readonly points?: ReadonlyArray<Plane.Point>
}

/** What the colours mean. */
export interface Scale {
  /** The colour bar's title; by default, that they are probabilities of class 1. */
  readonly value?: string
}

/**
 * One landscape as SVG. Fails with `DataMismatch` unless there are n² probabilities.
 *
 * ```ts
 * import { Landscape, Plane } from "@rai/plots"
 * import { Effect } from "effect"
 *
 * const plane = { grid: 50 }
 * const { data } = Plane.inputs(plane)
 * const probability = Float32Array.from({ length: 50 * 50 }, (_, i) => 1 / (1 + Math.exp(-data[2 * i]!)))
 * const svg = Effect.runSync(Landscape.svg({ ...plane, title: "x₁ > 0", probability }))
 * console.log(svg.startsWith("<svg")) // => true
 * ```
 */
export const svg = (settings: Plane.Plane & Panel & Scale): Effect.Effect<string, DataMismatch> =>
  panel({ ...settings, panels: [settings] })

/** Landscapes side by side on one colour scale, such as backpropagation and RAI. Fails with `DataMismatch` as `svg` does. */
export const panel = Effect.fn("Landscape.panel")(function* (
  settings: Plane.Plane & Scale & { readonly panels: ReadonlyArray<Panel> }
) {
  const { extents, grid: n } = Plane.whole(settings)
  yield* check(extents, n, settings.panels)
  const hasPoints = settings.panels.some(({ points = [] }) => points.length > 0)
  const isAssumed = !hasPoints && (settings.isAssumed ?? settings.extents === undefined)
  const panels = settings.panels.map((panel) => sampled(isAssumed ? assuming(panel) : panel))
  const top = Theme.headingsHeight(panels)
  const [marksAcross, marksUp] = extents.map(([low, high]) => Axis.fitting(low, high, 6, side)) as [Marks, Marks]
  const start = Axis.leftOf(marksUp)
  const places = panels.map((_, i) => ({ x: start + i * (side + gap), y: top, width: side, height: side }))
  const end = start + places.length * (side + gap) - gap
  const [across, up] = settings.inputNames ?? ["x₁", "x₂"]
  const parts = panels.map((content, i) => {
    const place = places[i]!
    return [
      Theme.headings(content, { x: place.x, width: side }),
      Svg.element("g", { "clip-path": `url(#plot${i})` }, landscape(content, place, extents, n)),
      Axis.frame(place),
      Axis.bottom(place, marksAcross, across),
      Axis.left(place, marksUp, i === 0 ? up : undefined)
    ].join("")
  })
  const scale = [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, label: String(at) }))
  const classes = [0, 1].map((label) => named(settings.classNames?.[label] ?? String(label)))
  const missing = panels.some(({ probability }) => Array.from(probability).some(Number.isNaN))
  return Theme.figure(
    { width: end + 84, height: top + side + 72 },
    panels
      .flatMap(({ title, subtitle }) => [title, subtitle])
      .filter(Boolean)
      .join(", ") || "Decision landscape",
    [
      Svg.element("defs", {}, Raster.definitions, Axis.definitions, ...places.map(clip)),
      ...parts,
      Axis.colourBar(
        { x: end + 16, y: top, width: 14, height: side },
        scale,
        settings.value ?? `probability of ${classes[1]}`
      ),
      Legend.draw({ x: start, y: top + side + 58 }, Marker.entries(classes, { hasPoints, missing }))
    ].join("")
  )
})

/** Says something below the title. */
const saying = (panel: Panel, what: string): Panel => ({
  ...panel,
  subtitle: [panel.subtitle, what].filter(Boolean).join("; ")
})

const assuming = (panel: Panel): Panel => saying(panel, "assumed range, as it is not known where the data lie")

/** Most points that are drawn: more would hide each other, and millions are more than a file can hold. */
const most = 5000

/** With the points that are drawn. */
const sampled = (panel: Panel): Panel => {
  const all = (panel.points ?? []).filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
  const points = Sample.fair(all, most)
  const [drawn, of] = [points.length, all.length].map((count) => count.toLocaleString("en"))
  return { ...(drawn === of ? panel : saying(panel, `${drawn} of ${of} examples drawn`)), points }
}

/** A class that is called by a number is none: «probability of 1» would mean another thing. */
const named = (name: string): string => (/^[\d.]+$/.test(name) ? `class ${name}` : name)

type Marks = ReadonlyArray<Axis.Mark>

type Extents = readonly [Plane.Extent, Plane.Extent]

const side = 300
const gap = 22

const clip = (place: Raster.Place, i: number): string =>
  Svg.element("clipPath", { id: `plot${i}` }, Svg.element("rect", { ...place }))

const landscape = (content: Panel, place: Raster.Place, extents: Extents, n: number): string => {
  const share = ([low, high]: Plane.Extent, value: number): number => (value - low) / (high - low)
  const across = (share: number): number => place.x + share * place.width
  const up = (share: number): number => place.y + (1 - share) * place.height
  const lines = Boundary.at(0.5, content.probability, n).map((line) =>
    Curve.path(line.map(([x, y]) => [across(x / n), up(y / n)]))
  )
  const { points = [] } = content
  const radius = Math.min(3.6, Math.max(1.8, 3.6 * Math.sqrt(150 / Math.max(1, points.length))))
  return [
    Raster.image({ width: n, height: n, positions: content.probability }, place),
    Marker.boundary(lines.join("")),
    ...points.map(({ x, y, label }) =>
      Marker.point(label, across(share(extents[0], x)), up(share(extents[1], y)), radius)
    )
  ].join("")
}

const check = (extents: Extents, n: number, panels: ReadonlyArray<Panel>) => {
  const mismatch = (expected: string, came: string, remedy: string) =>
    Effect.fail(new DataMismatch({ figure: "Landscape", expected, came, remedy }))
  const turned = extents.find(([low, high]) => !(Number.isFinite(low) && Number.isFinite(high) && low < high))
  if (turned !== undefined)
    return mismatch(
      "an extent [low, high] with low < high",
      `[${turned.join(", ")}]`,
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
        "set grid to the number of cells a side, and evaluate at Plane.inputs"
      )
}
