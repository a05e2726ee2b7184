/**
 * Reads figures back: the SVG with an XML parser, embedded images and PNGs with a decoder.
 */
import { DOMParser, onErrorStopParsing } from "@xmldom/xmldom"
import { decode } from "fast-png"

/** Parses an SVG; throws on XML that is not well-formed. */
export const parse = (svg: string) =>
  new DOMParser({ onError: onErrorStopParsing }).parseFromString(svg, "application/xml")

/** Returns the attributes of each element with a name. */
export const elements = (svg: string, name: string): ReadonlyArray<Readonly<Record<string, string>>> =>
  Array.from(parse(svg).getElementsByTagName(name)).map((element) =>
    Object.fromEntries(Array.from(element.attributes).map((attribute) => [attribute.name, attribute.value]))
  )

/** Returns all texts in order. */
export const texts = (svg: string): ReadonlyArray<string> =>
  Array.from(parse(svg).getElementsByTagName("text")).map((element) => element.textContent ?? "")

/** Returns the points of path data that consists of M and L commands only. */
export const points = (data: string): ReadonlyArray<readonly [number, number]> =>
  [...data.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const)

/** Decodes a PNG; `at` gives the colour of a pixel as [red, green, blue, alpha]. */
export const pixels = (png: Uint8Array) => {
  const image = decode(png)
  const at = (x: number, y: number): ReadonlyArray<number> => {
    const start = (Math.floor(y) * image.width + Math.floor(x)) * image.channels
    return Array.from(image.data.slice(start, start + image.channels))
  }
  return { width: image.width, height: image.height, at }
}

/** Decodes the image inside an SVG, and returns its position. */
export const embedded = (svg: string) => {
  const [image] = elements(svg, "image")
  const data = Buffer.from(image?.href?.replace("data:image/png;base64,", "") ?? "", "base64")
  const [x, y, width, height] = [image?.x, image?.y, image?.width, image?.height].map(Number)
  return { ...pixels(new Uint8Array(data)), place: { x: x!, y: y!, width: width!, height: height! } }
}
