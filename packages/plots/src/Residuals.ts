/**
 * The residual at every cut over the steps, as a heat map: where in the circuit auxiliary and prediction still disagree.
 */
import { Effect } from "effect"
import { DataMismatch } from "./DataMismatch.ts"
import * as Axis from "./internal/Axis.ts"
import * as Legend from "./internal/Legend.ts"
import * as LogScale from "./internal/LogScale.ts"
import * as Raster from "./internal/Raster.ts"
import * as Rules from "./internal/Rules.ts"
import * as Svg from "./internal/Svg.ts"
import * as Theme from "./internal/Theme.ts"
import type { Phase } from "./Phase.ts"

/** The residuals of a run. */
export interface Settings {
  readonly title?: string
  readonly subtitle?: string
  /** The steps at which residuals were measured, ascending; each holds until the next. */
  readonly steps: ReadonlyArray<number>
  /** The number of cuts; cut 1 is the nearest to the input. */
  readonly cuts: number
  /** The residual's size, [steps, cuts] row-major: what is not above zero takes the lowest colour, NaN is hatched. */
  readonly residual: ArrayLike<number>
  readonly phases?: ReadonlyArray<Phase>
}

const plot = { width: 460, height: 240 }
// The image's pixels: two to each of the figure's.
const columns = 920
const lines = 480

/**
 * The heat map as SVG, steps from left to right, cuts from below upward, colour logarithmic; fails with `DataMismatch` unless there are
 * steps × cuts numbers.
 *
 * ```ts
 * import { Residuals } from "@rai/plots"
 * import { Effect } from "effect"
 *
 * const residual = [1, 0.5, 0.1, 0.05, 0.01, 0.005] // [steps, cuts]
 * const svg = Effect.runSync(Residuals.svg({ steps: [0, 10, 20], cuts: 2, residual }))
 * console.log(svg.includes("<image")) // => true
 * ```
 */
export const svg = Effect.fn("Residuals.svg")(function* (settings: Settings) {
  yield* check(settings)
  const { phases = [] } = settings
  const missing = Array.from(settings.residual).some(Number.isNaN)
  const top = Theme.headingsHeight([settings]) + (phases.length === 0 ? 0 : 16)
  const place = { x: 58, y: top, ...plot }
  const scale = LogScale.make(Array.from(settings.residual))
  const [first, last] = Axis.range(settings.steps)
  const share = (step: number): number => (step - first) / (last - first)
  const cutMarks = Axis.linear(1, settings.cuts, 6)
    .filter(({ label }) => Number.isInteger(Number(label)))
    .map(({ label }) => ({ at: (Number(label) - 0.5) / settings.cuts, label }))
  return Theme.figure(
    { width: place.x + plot.width + 96, height: top + plot.height + (missing ? 70 : 46) },
    settings.title ?? "Residual per cut",
    [
      Svg.element("defs", {}, Raster.definitions, Axis.definitions),
      Theme.headings(settings, { x: place.x, width: plot.width }),
      Raster.image(
        {
          width: columns,
          height: settings.cuts,
          positions: spread(settings, share, scale),
          tall: Math.ceil(lines / settings.cuts)
        },
        place
      ),
      Rules.draw(phases, place, share, "#ffffff"),
      Axis.frame(place),
      Axis.bottom(place, Axis.linear(first, last, 8), "step"),
      Axis.left(place, cutMarks, "cut (1 is nearest to the input)"),
      Axis.colourBar({ x: place.x + plot.width + 14, y: top, width: 14, height: plot.height }, scale.marks, "residual"),
      missing ? Legend.draw({ x: place.x, y: top + plot.height + 58 }, [Legend.missing]) : ""
    ].join("")
  )
})

/** Each column of the image shows the largest residual measured within it, else the last one before it; NaN wins over all. */
const spread = (settings: Settings, share: (step: number) => number, scale: LogScale.LogScale): Float64Array => {
  const { steps, cuts, residual } = settings
  const positions = new Float64Array(columns * cuts).fill(Number.NEGATIVE_INFINITY)
  for (const [i, step] of steps.entries()) {
    const from = Math.min(columns - 1, Math.floor(share(step) * columns))
    const next = steps[i + 1]
    const to = next === undefined ? columns : Math.max(from + 1, Math.floor(share(next) * columns))
    for (let cut = 0; cut < cuts; cut++) {
      const position = scale.position(residual[i * cuts + cut] ?? Number.NaN)
      for (let column = from; column < to; column++) {
        const at = cut * columns + column
        positions[at] = Math.max(positions[at] ?? 0, position)
      }
    }
  }
  return positions
}

const check = ({ steps, cuts, residual }: Settings) => {
  const mismatch = (expected: string, came: string, remedy: string) =>
    Effect.fail(new DataMismatch({ figure: "Residuals", expected, came, remedy }))
  if (!Number.isInteger(cuts) || cuts < 1)
    return mismatch("one cut or more", String(cuts), "draw residuals of a phase that relaxes")
  if (steps.length === 0) return mismatch("one step or more", "none", "record residuals while training")
  if (!steps.every((step, i) => Number.isFinite(step) && step > (steps[i - 1] ?? Number.NEGATIVE_INFINITY)))
    return mismatch("ascending steps", steps.slice(0, 5).join(", "), "sort them and give each once")
  return residual.length === steps.length * cuts
    ? Effect.void
    : mismatch(
        `${steps.length * cuts} residuals (${steps.length} steps × ${cuts} cuts)`,
        String(residual.length),
        "give one number for each step and cut"
      )
}
