import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Deviations } from "../src/index.ts"
import * as Document from "./Document.ts"

const rows = [
  { name: "RAI", values: [0.25, 0.5, 0.75] },
  { name: "backpropagation", values: [0.5, 0.5, Number.NaN], control: true }
]

const lines = (svg: string, kind: string) => Document.elements(svg, "line").filter((line) => line.class === kind)

describe("Deviations", () => {
  it.effect("puts the mean in the middle of its deviation, in place on the axis", () =>
    Effect.gen(function* () {
      const svg = yield* Deviations.svg({ value: "accuracy", extent: [0, 1], rows })
      const frame = Document.elements(svg, "rect").find(({ fill }) => fill === "none")!
      const at = (value: number) => Number(frame.x) + value * Number(frame.width)
      const [mean, control] = lines(svg, "mean")
      const [bar, flat] = lines(svg, "deviation")
      assert.closeTo(Number(mean!.x1), at(0.5), 0.02)
      assert.closeTo(Number(bar!.x1), at(0.25), 0.02) // the sample deviation of .25, .5, .75 is .25
      assert.closeTo(Number(bar!.x2), at(0.75), 0.02)
      assert.strictEqual(flat!.x1, flat!.x2)
      assert.notStrictEqual(mean!.stroke, control!.stroke)
      assert.strictEqual(Document.elements(svg, "circle").filter(({ class: kind }) => kind === "run").length, 5)
      assert.includeMembers([...Document.texts(svg)], ["RAI", "backpropagation", "accuracy", "of a control"])
    })
  )

  it.effect("writes no coordinate that is not a number, whatever comes", () =>
    Effect.gen(function* () {
      for (const values of [[], [Number.NaN], [Number.POSITIVE_INFINITY], [3, 3], [-1, 0, 1e300]]) {
        for (const logarithmic of [true, false]) {
          const svg = yield* Deviations.svg({ value: "loss", rows: [{ name: "a", values }], logarithmic })
          Document.parse(svg)
          for (const { x1, x2 } of Document.elements(svg, "line")) {
            assert.isTrue(Number.isFinite(Number(x1)) && Number.isFinite(Number(x2)))
          }
        }
      }
    })
  )

  it.effect("refuses no rows in one line", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Deviations.svg({ value: "accuracy", rows: [] }))
      assert.strictEqual(
        error.message,
        "Deviations: expected one row or more, but none came; give the values of one contestant at least"
      )
    })
  )
})
