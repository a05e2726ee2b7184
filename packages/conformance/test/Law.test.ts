import { describe, expect, it } from "@effect/vitest"
import { NdArray } from "@rai/core"
import { Law } from "../src/index.ts"

describe("the law of engines", () => {
  it.each([
    [1, 1, 0, true],
    [1 + 3e-6, 1, 1e-6, false],
    [1 + 1.9e-6, 1, 1e-6, true],
    [1e6 + 0.9, 1e6, 1e-6, true],
    [1e6 + 1.1, 1e6, 1e-6, false],
    [0, -0, 0, true],
    [Number.NaN, Number.NaN, 0, true],
    [Number.NaN, 0, 1, false],
    [0, Number.NaN, 1, false],
    [Infinity, Infinity, 0, true],
    [Infinity, -Infinity, 1, false],
    [Infinity, 1e30, 1, false],
    [1e30, Infinity, 1, false]
  ])("%d beside %d within %d: %s", (came, expected, tolerance, verdict) => {
    expect(Law.agrees(came, expected, tolerance)).toBe(verdict)
  })

  it("measures the largest difference of two arrays", () => {
    const expected = NdArray.make([3], [1, 3, Infinity])
    expect(Law.difference(NdArray.make([3], [1.5, 3, Infinity]), expected)).toBe(0.25)
    expect(Law.difference(NdArray.make([3], [1.5, Number.NaN, Infinity]), expected)).toBe(Infinity)
    expect(Law.difference(NdArray.make([3], [1, 3, -Infinity]), expected)).toBe(Infinity)
  })
})
