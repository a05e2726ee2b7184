import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Loss, Picture } from "../src/index.ts"
import * as Document from "./Document.ts"

const curves = (svg: string) => Document.elements(svg, "path").filter((path) => path.class === "curve")
const count = (svg: string, kind: string) => Document.elements(svg, "path").filter((path) => path.class === kind).length

const run = Array.from({ length: 101 }, (_, step) => ({
  step,
  relaxedLoss: 10 ** (-step / 50),
  freeRunLoss: 1,
  ...(step % 10 === 0 ? { freeRunAccuracy: 0.5 + step / 200 } : {})
}))

describe("Loss", () => {
  it.effect("is logarithmic in loss and linear in step", () =>
    Effect.gen(function* () {
      const svg = yield* Loss.svg({ measurements: run })
      const relaxed = curves(svg).find(({ stroke }) => stroke === "#0072b2")
      const points = Document.points(relaxed?.d ?? "")
      const [start, halfway, end] = [points[0]!, points[50]!, points[100]!]
      // From 1 to 0.01: exponential decay is a straight line, and 0.1 lies in the middle of the plot.
      assert.closeTo(halfway[0], (start[0] + end[0]) / 2, 0.02)
      assert.closeTo(halfway[1], (start[1] + end[1]) / 2, 0.02)
      const [frame] = Document.elements(svg, "rect").filter(
        ({ stroke, fill }) => stroke === "#1a1a1a" && fill === "none"
      )
      assert.closeTo(start[1], Number(frame?.y), 0.01)
      assert.closeTo(end[1], Number(frame?.y) + Number(frame?.height), 0.01)
    })
  )

  it.effect("shades the gap, rules off the phases, and shows the accuracy below", () =>
    Effect.gen(function* () {
      const phases = [
        { name: "relax", start: 0 },
        { name: "backpropagate", start: 60 }
      ]
      const svg = yield* Loss.svg({ title: "moons", measurements: run, phases })
      assert.strictEqual(count(svg, "gap"), 1)
      assert.strictEqual(curves(svg).length, 3)
      assert.strictEqual(Document.elements(svg, "line").filter((line) => line.class === "phase").length, 2)
      assert.includeMembers(
        [...Document.texts(svg)],
        [
          "moons",
          "relax",
          "backpropagate",
          "relaxed loss",
          "free-run loss",
          "relaxation gap",
          "free-run accuracy",
          "step"
        ]
      )
      const png = Document.pixels(yield* Picture.png(svg, { scale: 1 }))
      const relaxed = Document.points(curves(svg).find(({ stroke }) => stroke === "#0072b2")?.d ?? "")[50]!
      assert.deepStrictEqual(png.at(relaxed[0], relaxed[1] - 20).slice(0, 3), [0xf3, 0xd3, 0xbd])
      assert.deepStrictEqual(png.at(relaxed[0] - 2, relaxed[1] + 40).slice(0, 3), [255, 255, 255])
    })
  )

  it.effect("has a line of its own for validation data, in losses and in accuracies", () =>
    Effect.gen(function* () {
      const measurements = run.map((each) => ({ ...each, validationLoss: 0.1, validationAccuracy: 0.75 }))
      const svg = yield* Loss.svg({ measurements })
      const [loss, accuracy, ...others] = curves(svg).filter(({ stroke }) => stroke === "#009e73")
      assert.deepStrictEqual(others, [])
      assert.include(Document.texts(svg), "validation loss")
      // 0.1 lies in the middle of the losses, as the relaxed loss does halfway.
      const relaxed = Document.points(curves(svg).find(({ stroke }) => stroke === "#0072b2")?.d ?? "")[50]!
      for (const [, y] of Document.points(loss?.d ?? "")) assert.closeTo(y, relaxed[1], 0.02)
      // 0.75 is where the free run's accuracy is halfway.
      const halfway = curves(svg).filter(({ stroke }) => stroke === "#d55e00")[1]
      assert.closeTo(Document.points(accuracy?.d ?? "")[0]![1], Document.points(halfway?.d ?? "")[5]![1], 0.02)
    })
  )

  it.effect("has no accuracy plot, no gap and no entry for what was not measured", () =>
    Effect.gen(function* () {
      const svg = yield* Loss.svg({ measurements: run.map(({ step, freeRunLoss }) => ({ step, freeRunLoss })) })
      assert.strictEqual(curves(svg).length, 1)
      assert.strictEqual(count(svg, "gap"), 0)
      assert.notInclude(Document.texts(svg), "relaxed loss")
      assert.notInclude(Document.texts(svg), "free-run accuracy")
    })
  )

  it.effect("marks a loss that is not finite, breaks the line there, and keeps its axes", () =>
    Effect.gen(function* () {
      const broken = run.map((each) =>
        each.step === 30
          ? { ...each, freeRunLoss: Number.NaN }
          : each.step === 70
            ? { ...each, freeRunLoss: Infinity }
            : each
      )
      const svg = yield* Loss.svg({ measurements: broken })
      const whole = yield* Loss.svg({ measurements: run })
      assert.strictEqual(count(svg, "broken"), 2 + 1) // and the legend
      assert.strictEqual(
        curves(svg)
          .find(({ stroke }) => stroke === "#d55e00")
          ?.d?.match(/M/g)?.length,
        3
      )
      assert.strictEqual(count(svg, "gap"), 3)
      const numbers = (text: string) => /^10/.test(text)
      assert.deepStrictEqual(Document.texts(svg).filter(numbers), Document.texts(whole).filter(numbers))
    })
  )

  it.effect("joins what was not measured within a phase, and ends and begins where a step is measured again", () =>
    Effect.gen(function* () {
      const measurements = [
        { step: 0, relaxedLoss: 1, freeRunLoss: 1 },
        { step: 1, freeRunLoss: 1 },
        { step: 2, relaxedLoss: 0.1, freeRunLoss: 1 },
        { step: 2, freeRunLoss: 0.5 },
        { step: 4, freeRunLoss: 0.5 },
        { step: 4, relaxedLoss: 0.5, freeRunLoss: 0.5 },
        { step: 6, relaxedLoss: 0.1, freeRunLoss: 0.5 }
      ]
      const phases = [0, 2, 4].map((start) => ({ name: "", start }))
      const svg = yield* Loss.svg({ measurements, phases })
      const points = (colour: string) =>
        curves(svg)
          .find(({ stroke }) => stroke === colour)!
          .d!.split("M")
          .slice(1)
          .map((path) => Document.points(path).length)
      assert.deepStrictEqual(points("#0072b2"), [2, 2])
      assert.deepStrictEqual(points("#d55e00"), [3, 2, 2])
      assert.strictEqual(count(svg, "gap"), 2)
    })
  )

  it.effect.prop(
    "never writes a coordinate that is not a number",
    [
      Schema.Array(
        Schema.Struct({ relaxedLoss: Schema.Number, freeRunLoss: Schema.Number, freeRunAccuracy: Schema.Number })
      )
    ],
    ([losses]) =>
      Effect.gen(function* () {
        const measurements = [{ step: -1, relaxedLoss: 0 }, ...losses.map((each, step) => ({ step, ...each }))]
        const svg = yield* Loss.svg({ measurements })
        assert.notMatch(svg, /NaN|Infinity|undefined/)
        Document.parse(svg)
      })
  )

  it.effect("thins a long run and loses no peak", () =>
    Effect.gen(function* () {
      const long = Array.from({ length: 50_000 }, (_, step) => ({ step, freeRunLoss: step === 31_415 ? 1 : 0.1 }))
      const svg = yield* Loss.svg({ measurements: long })
      const points = Document.points(curves(svg)[0]?.d ?? "")
      assert.isBelow(points.length, 1300)
      const top = Math.min(...points.map(([, y]) => y))
      const frame = Document.elements(svg, "rect").find(({ stroke }) => stroke === "#1a1a1a")
      assert.closeTo(top, Number(frame?.y), 0.01)
    })
  )

  it.effect("refuses what it cannot show, in one line", () =>
    Effect.gen(function* () {
      const say = (measurements: ReadonlyArray<Loss.Measurement>) =>
        Loss.svg({ measurements }).pipe(
          Effect.flip,
          Effect.map((error) => error.message)
        )
      assert.strictEqual(
        yield* say([]),
        "Loss: expected a loss at one step or more, but none came; record the relaxed or the free run's loss while training"
      )
      assert.match(
        yield* say([
          { step: 1, freeRunLoss: 1 },
          { step: 1, freeRunLoss: 1 }
        ]),
        /ascending steps, but step 1 at place 1/
      )
    })
  )
})
