/**
 * What a figure's marks mean, on one line below it.
 */
import * as Svg from "./Svg.ts"

/** A mark's meaning, and the mark itself drawn on a ground of 16 pixels from `x`, its middle at `y`. */
export interface Entry {
  readonly name: string
  readonly mark: (x: number, y: number) => string
}

/** The room that an entry takes with the gap behind it, in pixels. */
export const width = (name: string): number => 38 + 6.2 * name.length

/** The entries from left to right, on the base line `y`. */
export const draw = (place: { readonly x: number; readonly y: number }, entries: ReadonlyArray<Entry>): string => {
  let next = place.x
  return entries
    .map(({ name, mark }) => {
      const x = next
      next += width(name)
      return mark(x, place.y - 4) + Svg.text(name, { x: x + 22, y: place.y })
    })
    .join("")
}

/** The hatching's entry. */
export const missing: Entry = {
  name: "not a number",
  mark: (x, y) => Svg.element("rect", { x, y: y - 6, width: 16, height: 12, fill: "url(#missing)" })
}
