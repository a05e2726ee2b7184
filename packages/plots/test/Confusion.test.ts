import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Confusion, Picture } from "../src/index.ts"
import * as Document from "./Document.ts"

describe("Confusion", () => {
  const confusion = [
    [8, 2],
    [0, 5]
  ]

  it.effect("has true classes below each other, found ones beside each other, each row's shares as colour", () =>
    Effect.gen(function* () {
      const svg = yield* Confusion.svg({ confusion, classNames: ["ant", "bee"], title: "insects" })
      assert.deepStrictEqual(Document.texts(svg), [
        ...["insects", "8", "2", "5", "ant", "bee", "ant", "bee", "class found", "true class"]
      ])
      const cells = Document.elements(svg, "rect").filter((rect) => rect.class === "cell")
      assert.deepStrictEqual(
        cells.map((cell) => Number(cell["fill-opacity"])),
        [0.8, 0.2, 0, 1]
      )
      const [, topRight, bottomLeft, bottomRight] = cells
      assert.isAbove(Number(topRight?.x), Number(bottomLeft?.x))
      assert.isBelow(Number(topRight?.y), Number(bottomLeft?.y))
      const png = Document.pixels(yield* Picture.png(svg, { scale: 1 }))
      const corner = png.at(Number(bottomRight?.x) + 5, Number(bottomRight?.y) + 5)
      assert.deepStrictEqual(corner.slice(0, 3), [0x00, 0x72, 0xb2])
    })
  )

  it.effect("says what does not fit", () =>
    Effect.gen(function* () {
      const messages = yield* Effect.forEach(
        [{ confusion: [] }, { confusion: [[1, 2], [3]] }, { confusion, classNames: ["ant"] }],
        (settings) => Effect.map(Effect.flip(Confusion.svg(settings)), ({ message }) => message)
      )
      assert.deepStrictEqual(messages, [
        "Confusion: expected a row for each class, but none came; give what Metrics.of has of classes",
        "Confusion: expected 2 counts in each row, but 1 in row 1 came; give one for each class",
        "Confusion: expected 2 class names, but 1 came; name each class once, in order"
      ])
    })
  )
})
