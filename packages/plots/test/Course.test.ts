import { assert, describe, it } from "@effect/vitest"
import { Circuit, History, Moons, PlanSpec, ReferenceEngine, Training } from "@rai/core"
import { Effect, Stream } from "effect"
import { Course, Gradients, Loss, Residuals } from "../src/index.ts"
import * as Document from "./Document.ts"

/** A run that relaxes three times, with other phases between. */
const rows = Effect.gen(function* () {
  const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })
  const plan = yield* PlanSpec.parse("relax:6:interval=2,alternate:4,relax:4,backpropagate:6,relax:4")
  const data = yield* Moons.make({ examples: 20, seed: 1 })
  return History.of(yield* Stream.runCollect(Training.stream(circuit, data, { plan, seed: 0 })))
}).pipe(Effect.provide(ReferenceEngine.layer))

describe("Course", () => {
  it.effect("draws relaxed loss and gap while a plan relaxes, each time from their first value", () =>
    Effect.gen(function* () {
      const measured = yield* rows
      const svg = yield* Loss.svg(Course.loss(measured))
      const [frame] = Document.elements(svg, "rect").filter(({ stroke }) => stroke === "#1a1a1a")
      const step = (x: number) => Math.round(((x - Number(frame!.x)) / Number(frame!.width)) * 24)
      const paths = Document.elements(svg, "path")
      const line = (colour: string) =>
        paths
          .find(({ stroke, class: kind }) => kind === "curve" && stroke === colour)!
          .d!.split("M")
          .slice(1)
          .map(Document.points)
      const relaxed = line("#0072b2")
      assert.deepStrictEqual(
        relaxed.map((points) => points.map(([x]) => step(x))),
        [
          [0, 2, 4, 6],
          [10, 14],
          [20, 24]
        ]
      )
      // Where it relaxes again, the auxiliaries are the free run's: both losses are equal.
      const free = line("#d55e00").flat()
      for (const [begins] of relaxed) assert.deepInclude(free, begins)
      assert.strictEqual(paths.filter(({ class: kind }) => kind === "gap").length, 3)
    })
  )

  it.effect("draws residuals where there are auxiliaries, and gradients throughout", () =>
    Effect.gen(function* () {
      const measured = yield* rows
      const residuals = Course.residuals(measured)
      assert.deepStrictEqual(residuals.phases, Course.phases(measured))
      const image = Document.embedded(yield* Residuals.svg(residuals))
      const isWhite = (step: number) => image.at((step / 24) * image.width, 0).join() === "255,255,255,255"
      const steps = Array.from({ length: 24 }, (_, i) => i + 0.5)
      const between = steps.filter((step) => (step > 6 && step < 10) || (step > 14 && step < 20))
      assert.deepStrictEqual(steps.filter(isWhite), between)
      const gradients = Document.embedded(yield* Gradients.svg(Course.gradients(measured)))
      const colours = steps.map((step) => gradients.at((step / 24) * gradients.width, 0).join())
      assert.notInclude(colours, "255,255,255,255")
    })
  )
})
