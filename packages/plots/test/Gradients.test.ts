import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Gradients, Residuals } from "../src/index.ts"
import * as Document from "./Document.ts"

describe("Gradients", () => {
  const steps = [0, 5, 10]
  const norms = [1, 0.1, 0.1, 0.1, 0.01, 0.1]

  it.effect("is the residuals' map in other words", () =>
    Effect.gen(function* () {
      const svg = yield* Gradients.svg({ steps, stages: 2, norms })
      const residuals = yield* Residuals.svg({ steps, cuts: 2, residual: norms })
      assert.strictEqual(Document.elements(svg, "image")[0]?.href, Document.elements(residuals, "image")[0]?.href)
      assert.includeMembers([...Document.texts(svg)], ["stage (1 is nearest to the input)", "gradient norm", "step"])
    })
  )

  it.effect("says what is missing", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(Gradients.svg({ steps, stages: 3, norms }))
      assert.strictEqual(
        message,
        "Gradients: expected 9 gradient norms (3 steps × 3 stages), but 6 came; give one number for each step and stage"
      )
    })
  )
})
