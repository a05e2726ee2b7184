/**
 * The look of every figure: type, ink and sizes in one place. At 400 pixels per column of 84 mm, 12 pixels print as 7 points.
 */
import { createRequire } from "node:module"
import * as Svg from "./Svg.ts"

/** Inter first, which the renderer includes, then fonts that a reader's machine is likely to have. */
export const fontFamily = "Inter, Helvetica, Arial, DejaVu Sans, sans-serif"

/** The font files that the renderer uses, the same on every machine. */
export const fontFiles = (): ReadonlyArray<string> => {
  const require = createRequire(import.meta.url)
  return ["400Regular/Inter_400Regular.ttf", "600SemiBold/Inter_600SemiBold.ttf"].map((file) =>
    require.resolve(`@expo-google-fonts/inter/${file}`)
  )
}

export const ink = { text: "#1a1a1a", quiet: "#5c5c5c", line: "#1a1a1a", grid: "#e6e6e6" } as const

export const fontSize = { title: 15, axis: 12.5, tick: 11.5 } as const

/** The figure around its parts: white background, type, and a title for screen readers. */
export const figure = (
  size: { readonly width: number; readonly height: number },
  title: string,
  parts: string
): string =>
  Svg.element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width: size.width,
      height: size.height,
      viewBox: `0 0 ${Svg.round(size.width)} ${Svg.round(size.height)}`,
      "font-family": fontFamily,
      "font-size": fontSize.tick,
      fill: ink.text,
      role: "img"
    },
    Svg.element("title", {}, Svg.escape(title)),
    Svg.element("rect", { width: size.width, height: size.height, fill: "#ffffff" }),
    parts
  )

/** A heading on one line, set smaller where it would exceed `width`. */
const heading = (
  content: string,
  place: { readonly x: number; readonly y: number; readonly width: number; readonly strong: boolean }
): string => {
  const size = place.strong ? fontSize.title : fontSize.axis
  return Svg.text(content, {
    x: place.x,
    y: place.y,
    "font-size": Math.min(size, place.width / (0.56 * Math.max(1, content.length))),
    "font-weight": place.strong ? 600 : undefined,
    fill: place.strong ? ink.text : ink.quiet
  })
}

/** The headings of a plot. */
export interface Headed {
  readonly title?: string
  readonly subtitle?: string
}

/** Height of the headings above plots that stand side by side. */
export const headingsHeight = (headed: ReadonlyArray<Headed>): number =>
  14 +
  (headed.some(({ title }) => title !== undefined) ? 20 : 0) +
  (headed.some(({ subtitle }) => subtitle !== undefined) ? 18 : 0)

/** Draws title and subtitle at the top of the figure. */
export const headings = (headed: Headed, place: { readonly x: number; readonly width: number }): string =>
  [
    { content: headed.title, strong: true, y: 22 },
    { content: headed.subtitle, strong: false, y: headed.title === undefined ? 20 : 41 }
  ]
    .map(({ content, ...line }) => (content === undefined ? "" : heading(content, { ...place, ...line })))
    .join("")
