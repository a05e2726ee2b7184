import { assert, describe, it } from "@effect/vitest"
import * as Boundaries from "../src/Boundaries.ts"

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
})
