import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Pseudorandom from "../../src/random/Pseudorandom.ts"
import numpy from "./fixtures/numpy.json" with { type: "json" }

const near = (a: number, b: number | undefined) => assert.isAtMost(Math.abs(a - b!), 1e-14 * (1 + Math.abs(b!)))

describe("Pseudorandom", () => {
  for (const fixture of numpy.cases) {
    it(`draws what numpy's RandomState(${fixture.seed}) draws`, () => {
      const random = Pseudorandom.make(fixture.seed)
      assert.deepStrictEqual([...random.uniforms(20, -1, 3)], fixture.uniforms)
      for (const [i, value] of random.normals(21).entries()) near(value, fixture.normals[i])
      assert.deepStrictEqual(random.permutation(50), fixture.permutation)
      near(random.normal(), fixture.normalAfter)
      assert.strictEqual(random.uniform(0, 1), fixture.uniformAfter)
      near(random.normals(100_000).at(-1)!, fixture.hundredThousandthNormal)
    })
  }

  it("permutes nothing and one thing", () => {
    assert.deepStrictEqual(Pseudorandom.make(1).permutation(0), [])
    assert.deepStrictEqual(Pseudorandom.make(1).permutation(1), [0])
  })

  it("gives each label of each seed a stream of its own, uncorrelated with the seed's", () => {
    const n = 20_000
    const labels = ["", "parameters", "orthogonal", "split", "batches"]
    const streams = [0, 1, 2 ** 31].flatMap((seed) => [
      Pseudorandom.make(seed).normals(n),
      ...labels.map((label) => Pseudorandom.stream(seed, label).normals(n))
    ])
    for (const [i, a] of streams.entries()) {
      for (const b of streams.slice(i + 1)) {
        const correlation = a.reduce((sum, x, k) => sum + x * b[k]!, 0) / n
        assert.isBelow(Math.abs(correlation), 5 / Math.sqrt(n))
      }
    }
    assert.deepStrictEqual(Pseudorandom.stream(7, "split").normals(5), Pseudorandom.stream(7, "split").normals(5))
  })

  it("derives the same seeds for ever, few of them alike", () => {
    assert.strictEqual(Pseudorandom.derive(0, "parameters"), 3_008_158_443)
    const derived = new Set<number>()
    for (let seed = 0; seed < 1000; seed++) {
      for (const label of ["a", "b", "parameters"]) derived.add(Pseudorandom.derive(seed, label))
    }
    assert.isAtLeast(derived.size, 2999)
  })

  it("has independent, standard normal numbers", () => {
    const n = 200_000
    const x = Pseudorandom.make(3).normals(n)
    const moment = (f: (value: number, i: number) => number) => x.reduce((sum, value, i) => sum + f(value, i), 0) / n
    assert.isBelow(Math.abs(moment((v) => v)), 0.01)
    assert.isBelow(Math.abs(moment((v) => v * v) - 1), 0.02)
    assert.isBelow(Math.abs(moment((v) => v ** 4) - 3), 0.1)
    assert.isBelow(Math.abs(moment((v, i) => v * (x[i - 1] ?? 0))), 0.01)
  })

  it.effect("has a seed of 0 unless a program provides another", () =>
    Effect.gen(function* () {
      const seed = Effect.gen(function* () {
        return yield* Pseudorandom.Seed
      })
      assert.strictEqual(yield* seed, 0)
      assert.strictEqual(yield* Effect.provideService(seed, Pseudorandom.Seed, 9), 9)
    })
  )
})
