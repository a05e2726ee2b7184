/**
 * Reading figures back: the SVG with an XML parser, its image and its PNG with a decoder.
 */
import { DOMParser, onErrorStopParsing } from "@xmldom/xmldom"
import { decode } from "fast-png"

/** Parses; anything that is not well-formed XML throws. */
export const parse = (svg: string) =>
  new DOMParser({ onError: onErrorStopParsing }).parseFromString(svg, "application/xml")

/** The elements of a name, each as its attributes. */
export const elements = (svg: string, name: string): ReadonlyArray<Readonly<Record<string, string>>> =>
  Array.from(parse(svg).getElementsByTagName(name)).map((element) =>
    Object.fromEntries(Array.from(element.attributes).map((attribute) => [attribute.name, attribute.value]))
  )

/** All texts, in order. */
export const texts = (svg: string): ReadonlyArray<string> =>
  Array.from(parse(svg).getElementsByTagName("text")).map((element) => element.textContent ?? "")

/** The points of path data made of M and L alone. */
export const points = (data: string): ReadonlyArray<readonly [number, number]> =>
  [...data.matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const)

/** A decoded PNG, and the colour of a pixel as [red, green, blue, alpha]. */
export const pixels = (png: Uint8Array) => {
  const image = decode(png)
  const at = (x: number, y: number): ReadonlyArray<number> => {
    const start = (Math.floor(y) * image.width + Math.floor(x)) * image.channels
    return Array.from(image.data.slice(start, start + image.channels))
  }
  return { width: image.width, height: image.height, at }
}

/** The image inside an SVG, and where it lies. */
export const embedded = (svg: string) => {
  const [image] = elements(svg, "image")
  const data = Buffer.from(image?.href?.replace("data:image/png;base64,", "") ?? "", "base64")
  const [x, y, width, height] = [image?.x, image?.y, image?.width, image?.height].map(Number)
  return { ...pixels(new Uint8Array(data)), place: { x: x!, y: y!, width: width!, height: height! } }
}
