/**
 * Heat maps of a size at every place of a circuit over the steps.
 */
import { Effect } from "effect"
import { DataMismatch } from "../DataMismatch.ts"
import type { Phase } from "../Phase.ts"
import * as Axis from "./Axis.ts"
import * as Legend from "./Legend.ts"
import * as LogScale from "./LogScale.ts"
import * as Raster from "./Raster.ts"
import * as Rules from "./Rules.ts"
import * as Steps from "./Steps.ts"
import * as Svg from "./Svg.ts"
import * as Theme from "./Theme.ts"

/** The data of a heat map. */
export interface Settings {
  readonly title?: string
  readonly subtitle?: string
  /** Ascending, but for the first step of a phase, which may be the last of the one before; each value reaches halfway to the next step. */
  readonly steps: ReadonlyArray<number>
  readonly places: number
  /** [steps, places] row-major: what is below the scale, as 0 is, is grey, NaN hatched, and undefined left white. */
  readonly sizes: ArrayLike<number | undefined>
  readonly phases?: ReadonlyArray<Phase>
}

/** The words for what is drawn. */
export interface Words {
  readonly figure: string
  readonly title: string
  /** A place of the circuit, in singular and plural. */
  readonly place: readonly [string, string]
  readonly size: string
  readonly sizes: string
  /** What to draw instead, where there are no places. */
  readonly remedy: string
}

const plot = { width: 460, height: 240 }
// The image's resolution: two pixels per pixel of the figure.
const columns = 920
const lines = 480

/** The heat map as SVG, steps from left to right, places from bottom to top, colour logarithmic. Fails with `DataMismatch`. */
export const svg = Effect.fn("HeatMap.svg")(function* (settings: Settings, words: Words) {
  yield* check(settings, words)
  const { phases = [] } = settings
  const sizes = Array.from(settings.sizes).filter((size) => size !== undefined)
  const top = Theme.headingsHeight([settings]) + (phases.length === 0 ? 0 : 16)
  const place = { x: 58, y: top, ...plot }
  const scale = LogScale.make(sizes)
  const below = sizes.filter(scale.isBelow)
  const entries = [
    ...(below.length > 0 ? [Legend.below(below)] : []),
    ...(sizes.some(Number.isNaN) ? [Legend.missing] : [])
  ]
  const [first, last] = Axis.range(settings.steps)
  const share = (step: number): number => (step - first) / (last - first)
  const marks = Axis.linear(1, settings.places, 6)
    .filter(({ label }) => Number.isInteger(Number(label)))
    .map(({ label }) => ({ at: (Number(label) - 0.5) / settings.places, label }))
  return Theme.figure(
    { width: place.x + plot.width + 96, height: top + plot.height + (entries.length > 0 ? 70 : 46) },
    settings.title ?? words.title,
    [
      Svg.element("defs", {}, Raster.definitions, Axis.definitions),
      Theme.headings(settings, { x: place.x, width: plot.width }),
      Raster.image(
        {
          width: columns,
          height: settings.places,
          positions: spread(settings, share, scale),
          tall: Math.ceil(lines / settings.places)
        },
        place
      ),
      Rules.draw(phases, place, share, "#ffffff"),
      Axis.frame(place),
      Axis.bottom(place, Axis.linear(first, last, 8), "step"),
      Axis.left(place, marks, `${words.place[0]} (1 is nearest to the input)`),
      Axis.colourBar({ x: place.x + plot.width + 14, y: top, width: 14, height: plot.height }, scale.marks, words.size),
      Legend.draw({ x: place.x, y: top + plot.height + 58 }, entries)
    ].join("")
  )
})

/** Each column of the image shows the largest value of the measurements that reach into it; NaN takes precedence. */
const spread = (settings: Settings, share: (step: number) => number, scale: LogScale.LogScale): Float64Array => {
  const { steps, places, sizes } = settings
  const positions = new Float64Array(columns * places).fill(Raster.nothing)
  const position = (size: number | undefined): number =>
    size === undefined ? Raster.nothing : scale.isBelow(size) ? Raster.below : scale.position(size)
  const halfway = (i: number): number => Math.floor(share((steps[i]! + steps[i + 1]!) / 2) * columns)
  for (const i of steps.keys()) {
    const from = i === 0 ? 0 : Math.min(columns - 1, halfway(i - 1))
    const to = i === steps.length - 1 ? columns : Math.max(from + 1, halfway(i))
    for (let place = 0; place < places; place++) {
      const here = position(sizes[i * places + place])
      for (let column = from; column < to; column++) {
        const at = place * columns + column
        positions[at] = Math.max(positions[at]!, here)
      }
    }
  }
  return positions
}

const check = ({ phases = [], places, sizes, steps }: Settings, words: Words) => {
  const mismatch = (expected: string, came: string, remedy: string) =>
    Effect.fail(new DataMismatch({ figure: words.figure, expected, came, remedy }))
  const [one, many] = words.place
  if (!Number.isInteger(places) || places < 1) return mismatch(`one ${one} or more`, String(places), words.remedy)
  if (steps.length === 0) return mismatch("one step or more", "none", `record ${words.sizes} while training`)
  if (Steps.misplaced(steps, phases) !== -1)
    return mismatch("ascending steps", steps.slice(0, 5).join(", "), "sort them and give each once")
  return sizes.length === steps.length * places
    ? Effect.void
    : mismatch(
        `${steps.length * places} ${words.sizes} (${steps.length} steps × ${places} ${many})`,
        String(sizes.length),
        `give one number for each step and ${one}`
      )
}
