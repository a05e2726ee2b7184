/**
 * Phases over a plot: a thin rule where each begins, its name above.
 */
import type { Phase } from "../Phase.ts"
import type { Place } from "./Raster.ts"
import * as Svg from "./Svg.ts"
import * as Theme from "./Theme.ts"

/** Shortens the name to fit `width` pixels; empty where not even three letters fit. */
const fitted = (name: string, width: number): string => {
  const room = Math.floor((width - 6) / 6.2)
  return name.length <= room ? name : room < 3 ? "" : `${name.slice(0, room - 1)}…`
}

/** Phases with the fractions of the axis at which they begin and end; those beyond the axis are left out. */
const spans = (phases: ReadonlyArray<Phase>, share: (step: number) => number) =>
  phases
    .map(({ name, start }, i) => ({
      name,
      from: Math.max(0, share(start)),
      to: Math.min(1, share(phases[i + 1]?.start ?? Number.POSITIVE_INFINITY))
    }))
    .filter(({ from, to }) => from < to)

const label = (name: string, x: number, y: number): string =>
  name === "" ? "" : Svg.text(name, { x, y, fill: Theme.ink.quiet })

/** Draws the rules and names over a plot. */
export const draw = (
  phases: ReadonlyArray<Phase>,
  place: Place,
  share: (step: number) => number,
  stroke: string
): string =>
  spans(phases, share)
    .map(({ name, from, to }) => {
      const x = place.x + from * place.width
      const rule = { x1: x, x2: x, y1: place.y, y2: place.y + place.height, stroke, "stroke-width": 1 }
      return (
        (from === 0 ? "" : Svg.element("line", { ...rule, class: "phase" })) +
        label(fitted(name, (to - from) * place.width), x + 2, place.y - 6)
      )
    })
    .join("")

/** The phases without names, for a second plot below that shows only their rules. */
export const unnamed = (phases: ReadonlyArray<Phase>): ReadonlyArray<Phase> =>
  phases.map(({ start }) => ({ name: "", start }))
