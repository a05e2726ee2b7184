/**
 * Legends: the meaning of a figure's marks, on one line below it.
 */
import * as Raster from "./Raster.ts"
import * as Svg from "./Svg.ts"

/** The meaning of a mark, and a function that draws it 16 pixels wide from `x` on, centred vertically at `y`. */
export interface Entry {
  readonly name: string
  readonly mark: (x: number, y: number) => string
}

/** The width of an entry including the gap after it, in pixels. */
export const width = (name: string): number => 38 + 6.2 * name.length

/** Draws the entries from left to right, on the baseline `y`. */
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

/** The entry for the hatching. */
export const missing: Entry = {
  name: "not a number",
  mark: (x, y) => Svg.element("rect", { x, y: y - 6, width: 16, height: 12, fill: "url(#missing)" })
}

/** The entry for values below a scale, as 0 is below a logarithmic one. */
export const below = (values: ReadonlyArray<number>): Entry => ({
  name: values.every((value) => value === 0) ? "0" : "below the scale",
  mark: (x, y) => Svg.element("rect", { x, y: y - 6, width: 16, height: 12, fill: Raster.belowColour })
})
