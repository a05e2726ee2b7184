/**
 * Loss over steps: the relaxed loss, the free run's loss, and the relaxation gap between the two as a shaded band.
 */
import { Effect } from "effect"
import { DataMismatch } from "./DataMismatch.ts"
import * as Axis from "./internal/Axis.ts"
import * as Curve from "./internal/Curve.ts"
import * as Legend from "./internal/Legend.ts"
import * as LogScale from "./internal/LogScale.ts"
import type { Place } from "./internal/Raster.ts"
import * as Rules from "./internal/Rules.ts"
import * as Steps from "./internal/Steps.ts"
import * as Svg from "./internal/Svg.ts"
import * as Theme from "./internal/Theme.ts"
import type { Phase } from "./Phase.ts"

/** What was measured at a step; what is absent was not measured. Within a phase lines continue across it. */
export interface Measurement {
  readonly step: number
  readonly relaxedLoss?: number | undefined
  readonly freeRunLoss?: number | undefined
  /** Loss of the free run on validation data. */
  readonly validationLoss?: number | undefined
  /** Shares in [0, 1]; if any is given, a second plot below shows them. */
  readonly freeRunAccuracy?: number | undefined
  readonly validationAccuracy?: number | undefined
}

/** The losses of a run. */
export interface Settings {
  readonly title?: string
  readonly subtitle?: string
  /**
   * In ascending order of steps. Where a phase begins, its first measurement may follow the last one of the phase before at the same step: lines end
   * and begin there.
   */
  readonly measurements: ReadonlyArray<Measurement>
  readonly phases?: ReadonlyArray<Phase>
}

// Okabe and Ito's vermilion, blue and bluish green: distinct under every kind of colour vision, and the first two differ in lightness.
const curves = [
  { key: "freeRunLoss", accuracy: "freeRunAccuracy", name: "free-run loss", colour: "#d55e00", width: 2.2 },
  { key: "relaxedLoss", accuracy: undefined, name: "relaxed loss", colour: "#0072b2", width: 1.8 },
  { key: "validationLoss", accuracy: "validationAccuracy", name: "validation loss", colour: "#009e73", width: 1.8 }
] as const
const gap = { name: "relaxation gap", colour: "#f3d3bd" }

const plot = { x: 58, width: 480 }

/**
 * The curves as SVG, loss logarithmic. A loss that is not finite breaks its line and is marked × at the upper edge; one not above zero lies on the
 * lower edge. Fails with `DataMismatch` where nothing was measured or steps do not ascend.
 *
 * ```ts
 * import { Loss } from "@rai/plots"
 * import { Effect } from "effect"
 *
 * const measurements = [0, 1, 2, 3].map((step) => ({ step, relaxedLoss: 0.7 / (1 + step), freeRunLoss: 0.7 }))
 * const svg = Effect.runSync(Loss.svg({ measurements, phases: [{ name: "relax", start: 0 }] }))
 * console.log(svg.includes("relaxation gap")) // => true
 * ```
 */
export const svg = Effect.fn("Loss.svg")(function* (settings: Settings) {
  const { measurements, phases = [] } = settings
  yield* check(settings)
  const stretches = stretchesOf(measurements)
  const top = Theme.headingsHeight([settings]) + (phases.length === 0 ? 0 : 16)
  const losses = { ...plot, y: top, height: 230 }
  const accuracies = { ...plot, y: top + losses.height + 14, height: 104 }
  const accuracy = curves.flatMap((curve) =>
    curve.accuracy === undefined ? [] : [{ ...curve, samples: series(stretches, curve.accuracy) }]
  )
  const hasAccuracy = accuracy.some(({ samples }) => samples.flat().length > 0)
  const lowest = hasAccuracy ? accuracies : losses
  const steps = Axis.range(measurements.map(({ step }) => step))
  const share = (step: number): number => (step - steps[0]) / (steps[1] - steps[0])
  const stepMarks = Axis.linear(...steps, 8)
  const below = lowest.y + lowest.height
  return Theme.figure(
    { width: plot.x + plot.width + 18, height: below + 72 },
    settings.title ?? "Loss",
    [
      Theme.headings(settings, plot),
      lossPlot(stretches, losses, share),
      hasAccuracy ? accuracyPlot(accuracy, accuracies, share) : "",
      Rules.draw(phases, losses, share, Theme.ink.quiet),
      hasAccuracy ? Rules.draw(Rules.unnamed(phases), accuracies, share, Theme.ink.quiet) : "",
      ...[losses, lowest].map((place) => Axis.frame(place)),
      ...(hasAccuracy ? [Axis.bottom(losses, stepMarks)] : []),
      Axis.bottom(lowest, stepMarks, "step"),
      Legend.draw({ x: plot.x, y: below + 58 }, legend(measurements))
    ].join("")
  )
})

type Key = Exclude<keyof Measurement, "step">

type Stretches = ReadonlyArray<ReadonlyArray<Measurement>>

/** What is measured once more at a step begins anew there. */
const stretchesOf = (measurements: ReadonlyArray<Measurement>): Stretches => {
  const found: Array<Array<Measurement>> = [[]]
  for (const measurement of measurements) {
    if (measurement.step === found.at(-1)!.at(-1)?.step) found.push([])
    found.at(-1)!.push(measurement)
  }
  return found
}

/** The samples of a curve, stretch by stretch. */
type Samples = ReadonlyArray<ReadonlyArray<Curve.Sample>>

const series = (stretches: Stretches, key: Key): Samples =>
  stretches.map((measurements) =>
    Curve.thin(
      measurements.flatMap((measurement) => {
        const value = measurement[key]
        return value === undefined ? [] : [{ step: measurement.step, value }]
      })
    )
  )

const lossPlot = (stretches: Stretches, place: Place, share: (step: number) => number): string => {
  const drawn = curves.map((curve) => ({ ...curve, samples: series(stretches, curve.key) }))
  const scale = LogScale.make(drawn.flatMap(({ samples }) => samples.flat().map(({ value }) => value)))
  const x = (step: number): number => place.x + share(step) * place.width
  const y = (value: number): number => place.y + (1 - scale.position(value)) * place.height
  const pairs = stretches.flatMap((stretch) => Curve.runs(both(stretch), (pair) => pair.every(Number.isFinite)))
  const band = pairs.map((run) => {
    const upper = run.map(([step, relaxed]) => [x(step), y(relaxed)] as const)
    const lower = run.map(([step, , free]) => [x(step), y(free)] as const)
    return Svg.element("path", { class: "gap", d: `${Curve.path([...upper, ...lower.reverse()])}Z`, fill: gap.colour })
  })
  return [
    ...band,
    Axis.grid(place, scale.marks),
    ...drawn.map(({ samples, colour, width }) => line(samples, x, y, { stroke: colour, "stroke-width": width })),
    ...drawn.flatMap(({ samples, colour }) => crosses(samples.flat(), x).map((at) => cross(at, place.y + 7, colour))),
    Axis.left(place, scale.marks, "loss")
  ].join("")
}

// Keeps a line at accuracy 1 below the frame, where it is visible.
const headroom = 1.08

interface Drawn {
  readonly samples: Samples
  readonly colour: string
  readonly width: number
}

const accuracyPlot = (drawn: ReadonlyArray<Drawn>, place: Place, share: (step: number) => number): string => {
  const marks = [0, 0.5, 1].map((value) => ({ at: value / headroom, label: String(value) }))
  const x = (step: number): number => place.x + share(step) * place.width
  const y = (value: number): number => place.y + (1 - Math.min(1, Math.max(0, value)) / headroom) * place.height
  return [
    Axis.grid(place, marks),
    ...drawn.map(({ samples, colour, width }) => line(samples, x, y, { stroke: colour, "stroke-width": width })),
    Axis.left(place, marks, "free-run accuracy")
  ].join("")
}

/** [step, relaxed loss, free-run loss] where both were measured. */
const both = (measurements: ReadonlyArray<Measurement>): ReadonlyArray<readonly [number, number, number]> => {
  const pairs = measurements.flatMap(({ step, relaxedLoss, freeRunLoss }) =>
    relaxedLoss === undefined || freeRunLoss === undefined ? [] : [[step, relaxedLoss, freeRunLoss] as const]
  )
  return pairs.length <= Curve.limit ? pairs : Curve.stretches(pairs, Curve.limit).flatMap((each) => each.slice(0, 1))
}

type Scale = (value: number) => number

const line = (samples: Samples, x: Scale, y: Scale, stroke: Readonly<Record<string, string | number>>): string => {
  const runs = samples.flatMap((stretch) => Curve.runs(stretch, ({ value }) => Number.isFinite(value)))
  const d = runs.map((run) => Curve.path(run.map(({ step, value }) => [x(step), y(value)]))).join("")
  const ends = { "stroke-linejoin": "round", "stroke-linecap": "round" }
  return d === "" ? "" : Svg.element("path", { class: "curve", d, fill: "none", ...stroke, ...ends })
}

/** Where to mark values that are not finite, with no two marks closer than their width. */
const crosses = (samples: ReadonlyArray<Curve.Sample>, x: Scale): ReadonlyArray<number> => {
  const marked: Array<number> = []
  for (const { step, value } of samples) {
    if (!Number.isFinite(value) && x(step) - (marked.at(-1) ?? Number.NEGATIVE_INFINITY) >= 9) marked.push(x(step))
  }
  return marked
}

const cross = (x: number, y: number, stroke: string): string =>
  Svg.element("path", {
    class: "broken",
    d: `M${Svg.round(x - 3)},${Svg.round(y - 3)}l6,6m0,-6l-6,6`,
    stroke,
    "stroke-width": 1.6
  })

const legend = (measurements: ReadonlyArray<Measurement>): ReadonlyArray<Legend.Entry> => {
  const bar = (colour: string, thickness: number) => (x: number, y: number) =>
    Svg.element("rect", { x, y: y - thickness / 2, width: 16, height: thickness, fill: colour })
  const losses = measurements.flatMap((each) => curves.map(({ key }) => each[key]))
  return [
    ...curves
      .filter(({ key }) => measurements.some((each) => each[key] !== undefined))
      .map(({ name, colour, width }) => ({ name, mark: bar(colour, width) })),
    ...(both(measurements).length > 0 ? [{ name: gap.name, mark: bar(gap.colour, 11) }] : []),
    ...(losses.some((loss) => loss !== undefined && !Number.isFinite(loss))
      ? [{ name: "not finite", mark: (x: number, y: number) => cross(x + 8, y, Theme.ink.line) }]
      : [])
  ]
}

const check = ({ measurements, phases = [] }: Settings) => {
  const mismatch = (expected: string, came: string, remedy: string) =>
    Effect.fail(new DataMismatch({ figure: "Loss", expected, came, remedy }))
  if (!measurements.some(({ relaxedLoss, freeRunLoss }) => relaxedLoss !== undefined || freeRunLoss !== undefined))
    return mismatch("a loss at one step or more", "none", "record the relaxed or the free run's loss while training")
  const wrong = Steps.misplaced(
    measurements.map(({ step }) => step),
    phases
  )
  return wrong === -1
    ? Effect.void
    : mismatch("ascending steps", `step ${measurements[wrong]?.step} at place ${wrong}`, "sort them and give each once")
}
