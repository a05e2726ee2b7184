/**
 * Figures as files: SVG unchanged, PNG drawn with the fonts that this package includes, so that it looks the same on every machine.
 */
import { Archive } from "@rai/core"
import { Effect, Schema } from "effect"
import { DataMismatch } from "./DataMismatch.ts"
import * as Theme from "./internal/Theme.ts"

/** A file name ends with neither .svg nor .png. */
export class ExtensionUnknown extends Schema.TaggedError<ExtensionUnknown>()("ExtensionUnknown", {
  path: Schema.String
}) {
  override get message(): string {
    return `a figure's file: expected a name that ends with .svg or .png, but ${JSON.stringify(this.path)} came; rename it`
  }
}

/** The renderer could not draw an SVG. */
export class PictureNotDrawn extends Schema.TaggedError<PictureNotDrawn>()("PictureNotDrawn", {
  reason: Schema.String
}) {
  override get message(): string {
    return `drawing a PNG: expected an SVG and the renderer for this machine, but ${this.reason}; write an .svg file instead`
  }
}

const oneLine = (cause: unknown): string =>
  String(cause instanceof Error ? cause.message : cause).split("\n", 1)[0] ?? ""

/** Settings of a PNG. */
export interface Settings {
  /** Pixels per SVG pixel, above 0 and at most 16; 2 by default. */
  readonly scale?: number
}

/**
 * Renders the figure as the bytes of a PNG file. Fails with `DataMismatch` for a scale out of range, and with `PictureNotDrawn` where the text is not
 * SVG.
 */
export const png = Effect.fn("Picture.png")(function* (svg: string, settings: Settings = {}) {
  const { scale = 2 } = settings
  if (!(scale > 0 && scale <= 16))
    return yield* new DataMismatch({
      figure: "Picture",
      expected: "a scale above 0 and at most 16",
      came: String(scale),
      remedy: "give 2 for a screen and 4 for print"
    })
  const rendered = yield* Effect.tryPromise({
    try: (signal) =>
      import("@resvg/resvg-js").then(({ renderAsync }) =>
        renderAsync(
          svg,
          {
            fitTo: { mode: "zoom", value: scale },
            font: {
              loadSystemFonts: false,
              fontFiles: [...Theme.fontFiles()],
              defaultFontFamily: "Inter",
              sansSerifFamily: "Inter"
            }
          },
          signal
        )
      ),
    catch: (cause) => new PictureNotDrawn({ reason: oneLine(cause) })
  })
  return Uint8Array.from(rendered.asPng())
})

/**
 * Writes a figure in the format that its file name ends with, `.svg` or `.png`. The file appears complete or not at all: it is written under a
 * temporary name and renamed. Fails with `ExtensionUnknown`, `DataMismatch`, `PictureNotDrawn`, or the system's error.
 */
export const write = Effect.fn("Picture.write")(function* (path: string, svg: string, settings: Settings = {}) {
  const ending = /\.(svg|png)$/i.exec(path)?.[1]?.toLowerCase()
  if (ending === undefined) return yield* new ExtensionUnknown({ path })
  const bytes = ending === "png" ? yield* png(svg, settings) : new TextEncoder().encode(svg)
  yield* Archive.replace(path, bytes)
})
