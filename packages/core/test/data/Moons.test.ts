import { readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Moons from "../../src/data/Moons.ts"

it.effect("the paper's points are scikit-learn's, to 1e-12 and equal as float32", () =>
  Effect.gen(function* () {
    const text = readFileSync(new URL("./fixtures/moons-100-seed42.csv", import.meta.url), "utf8")
    const rows = text.trim().split("\n").slice(1)
    const data = yield* Moons.paper
    assert.strictEqual(rows.length, 100)
    for (const [i, row] of rows.entries()) {
      const [x1, x2, label] = row.split(",").map(Number)
      for (const [expected, came] of [
        [x1!, data.inputs.data[2 * i]!],
        [x2!, data.inputs.data[2 * i + 1]!]
      ] as const) {
        assert.isAtMost(Math.abs(came - expected), 1e-12)
        assert.strictEqual(Math.fround(came), Math.fround(expected))
      }
      assert.strictEqual(data.targets.data[i], label)
    }
  })
)
