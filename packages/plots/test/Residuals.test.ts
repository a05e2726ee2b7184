import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Picture, Residuals } from "../src/index.ts"
import * as Document from "./Document.ts"

describe("Residuals", () => {
  // Cut 1 falls from 1 to 0.01, cut 2 stays at 0.1, cut 3 is zero.
  const settings = {
    steps: [0, 5, 10],
    cuts: 3,
    residual: [1, 0.1, 0, 0.1, 0.1, 0, 0.01, 0.1, 0]
  }

  it.effect("shows cut 1 below, steps to the right, the logarithm as colour", () =>
    Effect.gen(function* () {
      const svg = yield* Residuals.svg(settings)
      const { place } = Document.embedded(svg)
      const png = Document.pixels(yield* Picture.png(svg, { scale: 1 }))
      const colour = (cut: number, share: number) =>
        png.at(place.x + share * place.width, place.y + place.height * (1 - (cut - 0.5) / 3)).slice(0, 3)
      assert.deepStrictEqual(colour(1, 0.1), [253, 231, 37]) // viridis' last colour
      const half = colour(1, 0.5)
      assert.deepStrictEqual(half, colour(2, 0.1))
      assert.isTrue([33, 145, 140].every((value, i) => Math.abs(value - half[i]!) < 4)) // its middle
      assert.deepStrictEqual(colour(1, 0.9), [68, 1, 84]) // its first, at the last measurement
    })
  )

  it.effect("draws 0 in a colour that the scale has not, and says so", () =>
    Effect.gen(function* () {
      const svg = yield* Residuals.svg(settings)
      const { place, ...image } = Document.embedded(svg)
      const grey = image.at(0, 0) // cut 3
      assert.strictEqual(new Set(grey.slice(0, 3)).size, 1)
      assert.strictEqual(Document.texts(svg).at(-1), "0")
      assert.deepInclude(
        Document.elements(svg, "rect").map(({ fill }) => fill),
        `rgb(${grey.slice(0, 3).join()})`
      )
      const deep = yield* Residuals.svg({ ...settings, residual: [1, 0.1, 1e-20, 0.1, 0.1, 0, 0.01, 0.1, 0] })
      assert.strictEqual(Document.texts(deep).at(-1), "below the scale")
      const none = yield* Residuals.svg({ ...settings, residual: [1, 0.1, 1e-3, 0.1, 0.1, 1e-3, 0.01, 0.1, 1e-3] })
      assert.notInclude(Document.texts(none).slice(-1), "0")
    })
  )

  it.effect("leaves white what was not measured, and draws both measurements at a step where a phase begins", () =>
    Effect.gen(function* () {
      const svg = yield* Residuals.svg({
        steps: [0, 4, 4, 8, 8, 10, 10],
        cuts: 1,
        residual: [1, 1, undefined, undefined, 0.01, 0.01, 1],
        phases: [0, 4, 8, 10].map((start) => ({ name: "", start }))
      })
      const image = Document.embedded(svg)
      const colour = (step: number) => image.at((step / 10) * image.width, 0).join()
      const [yellow, purple, white] = ["253,231,37,255", "68,1,84,255", "255,255,255,255"]
      assert.deepStrictEqual([0, 3.9, 4.1, 7.9, 8.1, 9.8].map(colour), [yellow, yellow, white, white, purple, purple])
    })
  )

  it.effect("hatches NaN and says so", () =>
    Effect.gen(function* () {
      const svg = yield* Residuals.svg({ ...settings, residual: [1, 0.1, 0, 0.1, 0.1, Number.NaN, 0.01, 0.1, 0] })
      const { place } = Document.embedded(svg)
      const png = Document.pixels(yield* Picture.png(svg, { scale: 1 }))
      const seen = Array.from({ length: 20 }, (_, i) => png.at(place.x + 0.5 * place.width + i, place.y + 20))
      assert.isTrue(seen.every(([red, green, blue]) => red === green && green === blue))
      assert.include(Document.texts(svg), "not a number")
    })
  )

  it.effect("keeps a peak when there are more steps than pixels", () =>
    Effect.gen(function* () {
      const steps = Array.from({ length: 5000 }, (_, step) => step)
      const svg = yield* Residuals.svg({ steps, cuts: 1, residual: steps.map((step) => (step === 2500 ? 1 : 1e-3)) })
      const image = Document.embedded(svg)
      const row = Array.from({ length: image.width }, (_, x) => image.at(x, 0).join())
      assert.include(row, "253,231,37,255")
    })
  )

  it.effect("has axes, a colour bar and the phases' names", () =>
    Effect.gen(function* () {
      const phases = [
        { name: "relax", start: 0 },
        { name: "refine", start: 5 }
      ]
      const svg = yield* Residuals.svg({ ...settings, title: "moons", phases })
      assert.includeMembers(
        [...Document.texts(svg)],
        ["moons", "relax", "refine", "step", "cut (1 is nearest to the input)", "residual", "0.01", "1"]
      )
      assert.strictEqual(Document.elements(svg, "line").filter((line) => line.class === "phase").length, 1)
    })
  )

  it.effect("refuses what it cannot show, in one line", () =>
    Effect.gen(function* () {
      const say = (wrong: Residuals.Settings) =>
        Residuals.svg(wrong).pipe(
          Effect.flip,
          Effect.map((error) => error.message)
        )
      assert.strictEqual(
        yield* say({ steps: [0, 1], cuts: 2, residual: [1] }),
        "Residuals: expected 4 residuals (2 steps × 2 cuts), but 1 came; give one number for each step and cut"
      )
      assert.match(yield* say({ steps: [], cuts: 2, residual: [] }), /one step or more, but none came/)
      assert.match(yield* say({ steps: [0], cuts: 0, residual: [] }), /one cut or more, but 0 came/)
      assert.match(yield* say({ steps: [1, 0], cuts: 1, residual: [1, 1] }), /ascending steps, but 1, 0 came/)
    })
  )
})
