import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { Picture } from "../src/index.ts"
import * as Theme from "../src/internal/Theme.ts"
import * as Document from "./Document.ts"

const svg = Theme.figure({ width: 40, height: 20 }, "test", '<text x="2" y="15" font-size="14">Mẑ</text>')

layer(NodeFileSystem.layer)("Picture", (it) => {
  const folder = FileSystem.FileSystem.use((files) => files.makeTempDirectoryScoped())

  it.effect("writes SVG and PNG by the name's ending, and leaves nothing beside", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const place = yield* folder
      yield* Picture.write(`${place}/a.svg`, svg)
      yield* Picture.write(`${place}/a.PNG`, svg, { scale: 3 })
      assert.strictEqual(yield* files.readFileString(`${place}/a.svg`), svg)
      const png = Document.pixels(yield* files.readFile(`${place}/a.PNG`))
      assert.deepStrictEqual([png.width, png.height], [120, 60])
      assert.deepStrictEqual((yield* files.readDirectory(place)).sort(), ["a.PNG", "a.svg"])
    }).pipe(Effect.scoped)
  )

  it.effect("draws text with the fonts it brings, each glyph of its own", () =>
    Effect.gen(function* () {
      const ink = (text: string) =>
        Effect.gen(function* () {
          const png = Document.pixels(yield* Picture.png(svg.replace("Mẑ", text), { scale: 2 }))
          return Array.from({ length: 80 * 40 }, (_, i) => (png.at(i % 80, i / 80)[0]! < 128 ? 1 : 0)).join("")
        })
      const blank = yield* ink("")
      const glyphs = yield* Effect.forEach(["M", "λ", "Σ", "ẑ", "z", "⁻", "⁵", "₁", "−", "×", "…"], ink)
      assert.isFalse(glyphs.includes(blank))
      assert.strictEqual(new Set(glyphs).size, glyphs.length) // a missing glyph would draw the same box twice
    })
  )

  it.effect("names the endings it knows", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Picture.write("plot.jpeg", svg))
      assert.strictEqual(error._tag, "ExtensionUnknown")
      assert.strictEqual(
        error.message,
        'a figure\'s file: expected a name that ends with .svg or .png, but "plot.jpeg" came; rename it'
      )
    })
  )

  it.effect("refuses a scale out of range, in one line", () =>
    Effect.gen(function* () {
      for (const scale of [0, -1, Number.NaN, 17]) {
        const error = yield* Effect.flip(Picture.png(svg, { scale }))
        assert.strictEqual(
          error.message,
          `Picture: expected a scale above 0 and at most 16, but ${scale} came; give 2 for a screen and 4 for print`
        )
      }
    })
  )

  it.effect("leaves an earlier file as it was when the new one cannot be drawn or written", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const place = yield* folder
      yield* files.writeFileString(`${place}/a.png`, "earlier")
      const drawn = yield* Effect.flip(Picture.write(`${place}/a.png`, "<svg"))
      assert.strictEqual(drawn._tag, "PictureNotDrawn")
      assert.notInclude(drawn.message, "\n")
      assert.strictEqual(yield* files.readFileString(`${place}/a.png`), "earlier")
      const written = yield* Effect.flip(Picture.write(`${place}/nowhere/a.svg`, svg))
      assert(written._tag === "PlatformError")
      assert.strictEqual(written.reason._tag, "NotFound")
      assert.include(written.message, "nowhere/a.svg")
      assert.deepStrictEqual(yield* files.readDirectory(place), ["a.png"])
      yield* files.makeDirectory(`${place}/b.svg`)
      assert.strictEqual((yield* Effect.flip(Picture.write(`${place}/b.svg`, svg)))._tag, "PlatformError")
      assert.deepStrictEqual((yield* files.readDirectory(place)).sort(), ["a.png", "b.svg"])
    }).pipe(Effect.scoped)
  )
})
