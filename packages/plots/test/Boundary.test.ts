import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as Boundary from "../src/internal/Boundary.ts"

// Tenths, so that ties and exact hits of the level are common; -1 stands for NaN.
const tenth = Schema.Int.check(Schema.isBetween({ minimum: -1, maximum: 10 }))

describe("Boundary", () => {
  it("interpolates between cell centres", () => {
    // Columns at 0.5, 1.5, 2.5 hold 0, 0.25, 1: the half lies a third of the way from the second to the third.
    const [line, ...rest] = Boundary.at(0.5, [0, 0.25, 1, 0, 0.25, 1, 0, 0.25, 1], 3)
    assert.strictEqual(rest.length, 0)
    assert.strictEqual(line?.length, 3)
    for (const [x] of line ?? []) assert.closeTo(x, 1.5 + 1 / 3, 1e-12)
  })

  it("is empty where all lies on one side", () => {
    assert.deepStrictEqual(Boundary.at(0.5, new Array(16).fill(0.9), 4), [])
    assert.deepStrictEqual(Boundary.at(0.5, new Array(16).fill(0.1), 4), [])
    assert.deepStrictEqual(Boundary.at(0.5, new Array(16).fill(Number.NaN), 4), [])
  })

  it.effect.prop(
    "each vertex lies between a cell below the level and one at or above it",
    [Schema.Array(tenth).check(Schema.isBetweenLength(36, 36))],
    ([tenths]) =>
      Effect.sync(() => {
        const values = tenths.map((each) => (each < 0 ? Number.NaN : each / 10))
        const value = (x: number, y: number) => values[Math.floor(y) * 6 + Math.floor(x)] ?? Number.NaN
        for (const [x, y] of Boundary.at(0.5, values, 6).flat()) {
          const whole = 1e-9
          const across = Math.abs(y - Math.floor(y) - 0.5) < whole
          const pairs = [
            ...(across ? [[value(Math.floor(x - 0.5), y), value(Math.ceil(x - 0.5), y)]] : []),
            ...(Math.abs(x - Math.floor(x) - 0.5) < whole
              ? [[value(x, Math.floor(y - 0.5)), value(x, Math.ceil(y - 0.5))]]
              : [])
          ]
          assert.isAbove(pairs.length, 0)
          assert.isTrue(pairs.some(([a = 0, b = 0]) => Math.min(a, b) <= 0.5 && Math.max(a, b) >= 0.5))
        }
      })
  )
})
