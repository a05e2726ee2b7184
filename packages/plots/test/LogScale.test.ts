import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as LogScale from "../src/internal/LogScale.ts"

describe("LogScale", () => {
  it("labels powers of ten over many decades, and 1, 2, 5 over few", () => {
    const labels = (values: ReadonlyArray<number>) =>
      LogScale.make(values)
        .marks.map(({ label }) => label)
        .filter((label) => label !== "")
        .sort()
    assert.deepStrictEqual(labels([1e-4, 1]), ["10⁰", "10⁻¹", "10⁻²", "10⁻³", "10⁻⁴"].sort())
    assert.deepStrictEqual(labels([0.1, 1]), ["0.1", "0.2", "0.5", "1"])
    assert.isAtMost(labels([1e-12, 1]).length, 8)
  })

  it.effect.prop("holds every number, whatever comes", [Schema.Array(Schema.Number)], ([values]) =>
    Effect.sync(() => {
      const { domain, isBelow, marks, position } = LogScale.make(values)
      assert.isTrue(domain[0] > 0 && domain[0] < domain[1] && Number.isFinite(domain[1]))
      assert.isTrue(marks.some(({ label }) => label !== ""))
      for (const { at } of marks) assert.isTrue(at >= 0 && at <= 1)
      for (const value of values) {
        if (Number.isNaN(value)) assert.isNaN(position(value))
        else assert.isTrue(position(value) >= 0 && position(value) <= 1)
        assert.isTrue(!isBelow(value) || position(value) === 0)
      }
    })
  )
})
