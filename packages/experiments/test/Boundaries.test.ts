import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Boundaries from "../src/Boundaries.ts"
import * as Small from "./Small.ts"

describe("Boundaries", () => {
  it("counts the cells whose class differs, for each pair of runs", () => {
    const runs = [
      [0.1, 0.2, 0.9, 0.8],
      [0.9, 0.2, 0.9, 0.8],
      [0.9, 0.8, 0.1, 0.2]
    ]
    assert.deepStrictEqual(Boundaries.pairs(runs), [0.25, 1, 0.75])
    assert.deepStrictEqual(Boundaries.pairs(runs.slice(0, 1)), [])
  })

  it.effect("names votes what they are, not probabilities", () =>
    Effect.gen(function* () {
      const page = yield* Boundaries.experiment.page({ seeds: [0, 1], steps: 1, hidden: "8x2" })
      for (const { svg } of page.sections.at(-1)!.figures!) {
        assert.include(svg, ">share of runs that answer class 1<")
        assert.notMatch(svg, /probability/)
      }
    }).pipe(Effect.provide(Small.here))
  )
})
