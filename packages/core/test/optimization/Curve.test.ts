import { assert, describe, it } from "@effect/vitest"
import { Curve } from "@rai/core"

/** Values at t = 0, ¼, ½ and ¾. */
const table: ReadonlyArray<readonly [name: string, values: ReadonlyArray<number>]> = [
  ["constant", [1, 1, 1, 1]],
  ["cosine", [1, (2 + Math.SQRT2) / 4, 0.5, (2 - Math.SQRT2) / 4]],
  ["linear", [1, 0.75, 0.5, 0.25]],
  ["exponential0.0001", [1, 0.1, 0.01, 0.001]],
  ["exponential16", [1, 2, 4, 8]],
  ["warmup0.5", [0, 0.5, 1, 1]],
  ["warmup1e-7", [0, 1, 1, 1]],
  ["warmup0.5*linear", [0, 0.375, 0.5, 0.25]],
  ["warmup0.5*linear*exponential0.0001", [0, 0.0375, 0.005, 0.00025]]
]

describe("curves", () => {
  for (const [name, values] of table) {
    it(name, () => {
      const curve = Curve.named(name)!
      assert.strictEqual(curve.name, name)
      values.forEach((value, i) => {
        assert.approximately(curve.at(i / 4), value, 1e-12, `at ${i}/4`)
      })
    })
  }

  it("near its end each stays a finite factor from 0", () => {
    for (const [name] of table) {
      const value = Curve.named(name)!.at(1 - 1e-9)
      assert.isTrue(Number.isFinite(value) && value >= 0, name)
    }
  })

  it("none leads to 0 or below by a ratio", () => {
    for (const end of [0, -1]) {
      assert.isTrue([0, 0.1, 0.5].some((t) => Number.isNaN(Curve.exponential(end).at(t))))
    }
  })

  it("a name that none has is none", () => {
    for (const name of [
      "",
      "sine",
      "constant1",
      "warmup",
      "warmup0",
      "exponential-1",
      "cosine*",
      "constructor",
      "toString"
    ])
      assert.isUndefined(Curve.named(name), name)
  })
})
