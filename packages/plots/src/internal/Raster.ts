/**
 * A grid of numbers as one image inside an SVG, and the hatching for missing numbers.
 */
import { encode } from "fast-png"
import * as Svg from "./Svg.ts"
import * as Viridis from "./Viridis.ts"

/** The position of a value below the scale, drawn grey. */
export const below = -1

/** The position where there is no value, drawn white. */
export const nothing = Number.NEGATIVE_INFINITY

/** Positions on the colour scale, [height, width] row-major from the lowest row upward; NaN stays transparent. */
export interface Grid {
  readonly width: number
  readonly height: number
  readonly positions: ArrayLike<number>
  /** Lines of pixels per row, 1 by default; more keep the edges of rows sharp in every viewer. */
  readonly tall?: number
}

const grey = 0xc4

/** The colour of values below the scale. */
export const belowColour = `rgb(${grey},${grey},${grey})`

const png = ({ width, height, positions, tall = 1 }: Grid): Uint8Array => {
  const colours = Viridis.table()
  const data = new Uint8Array(width * height * tall * 4)
  for (let line = 0; line < height * tall; line++) {
    const row = height - 1 - Math.floor(line / tall)
    for (let column = 0; column < width; column++) {
      const position = positions[row * width + column] ?? Number.NaN
      if (Number.isNaN(position)) continue
      const pixel = (line * width + column) * 4
      if (position === nothing) data.fill(255, pixel, pixel + 3)
      else if (position === below) data.fill(grey, pixel, pixel + 3)
      else {
        const colour = Math.min(255, Math.max(0, Math.floor(position * 256))) * 3
        data.set(colours.subarray(colour, colour + 3), pixel)
      }
      data[pixel + 3] = 255
    }
  }
  return encode({ width, height: height * tall, data, channels: 4, depth: 8 })
}

/** Position and size of the image in the figure, in pixels. */
export interface Place {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The grid as an `image` element over a hatched background, which shows through where a position is NaN. */
export const image = (grid: Grid, place: Place): string =>
  Svg.element("rect", { ...place, fill: "url(#missing)" }) +
  Svg.element("image", {
    ...place,
    preserveAspectRatio: "none",
    href: `data:image/png;base64,${Buffer.from(png(grid)).toString("base64")}`
  })

/** The hatching, defined once per figure. */
export const definitions = Svg.element(
  "pattern",
  { id: "missing", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
  Svg.element("rect", { width: 6, height: 6, fill: "#ededed" }),
  Svg.element("rect", { width: 2, height: 6, fill: "#8c8c8c" })
)
