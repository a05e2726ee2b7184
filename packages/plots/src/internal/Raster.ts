/**
 * A grid of numbers as one image inside an SVG, and the hatching that stands where a number is missing.
 */
import { encode } from "fast-png"
import * as Svg from "./Svg.ts"
import * as Viridis from "./Viridis.ts"

/** Positions on the colour scale, [height, width] row-major from the lowest row upward; NaN is left transparent. */
export interface Grid {
  readonly width: number
  readonly height: number
  readonly positions: ArrayLike<number>
  /** Lines of pixels to a row, 1 unless told: many keep a row's edges sharp in every viewer. */
  readonly tall?: number
}

const png = ({ width, height, positions, tall = 1 }: Grid): Uint8Array => {
  const colours = Viridis.table()
  const data = new Uint8Array(width * height * tall * 4)
  for (let line = 0; line < height * tall; line++) {
    const row = height - 1 - Math.floor(line / tall)
    for (let column = 0; column < width; column++) {
      const position = positions[row * width + column] ?? Number.NaN
      if (Number.isNaN(position)) continue
      const colour = Math.min(255, Math.max(0, Math.floor(position * 256))) * 3
      const pixel = (line * width + column) * 4
      data.set(colours.subarray(colour, colour + 3), pixel)
      data[pixel + 3] = 255
    }
  }
  return encode({ width, height: height * tall, data, channels: 4, depth: 8 })
}

/** Where the image lies in the figure, in pixels. */
export interface Place {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The grid as an `image` element over a hatched ground, which shows through where a position is NaN. */
export const image = (grid: Grid, place: Place): string =>
  Svg.element("rect", { ...place, fill: "url(#missing)" }) +
  Svg.element("image", {
    ...place,
    preserveAspectRatio: "none",
    href: `data:image/png;base64,${Buffer.from(png(grid)).toString("base64")}`
  })

/** The hatching's definition, once a figure. */
export const definitions = Svg.element(
  "pattern",
  { id: "missing", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
  Svg.element("rect", { width: 6, height: 6, fill: "#ededed" }),
  Svg.element("rect", { width: 2, height: 6, fill: "#8c8c8c" })
)
