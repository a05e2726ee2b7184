import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Blobs from "../../src/data/Blobs.ts"
import * as Checkerboard from "../../src/data/Checkerboard.ts"
import * as Circles from "../../src/data/Circles.ts"
import * as Dataset from "../../src/data/Dataset.ts"
import * as Moons from "../../src/data/Moons.ts"
import * as Spirals from "../../src/data/Spirals.ts"
import * as Xor from "../../src/data/Xor.ts"
import scikitLearn from "./fixtures/scikit-learn.json" with { type: "json" }

const generators = { Moons, Circles, Spirals, Blobs, Xor, Checkerboard }

const points = (data: Dataset.Dataset) =>
  Array.from(Dataset.labels(data), (label, i) => ({
    x: data.inputs.data[2 * i]!,
    y: data.inputs.data[2 * i + 1]!,
    label
  }))

const counts = (data: Dataset.Dataset) => {
  const found: Array<number> = []
  for (const label of Dataset.labels(data)) found[label] = (found[label] ?? 0) + 1
  return found
}

const equals = (data: Dataset.Dataset, inputs: ReadonlyArray<number>, labels: ReadonlyArray<number>) => {
  assert.deepStrictEqual([...Dataset.labels(data)], labels)
  assert.strictEqual(data.inputs.data.length, inputs.length)
  for (const [i, value] of inputs.entries()) assert.isAtMost(Math.abs(data.inputs.data[i]! - value), 1e-12)
}

describe("scikit-learn's points", () => {
  for (const fixture of scikitLearn.moons) {
    it.effect(`make_moons ${JSON.stringify(fixture.settings)}`, () =>
      Effect.map(Moons.make(fixture.settings), (data) => equals(data, fixture.inputs, fixture.labels))
    )
  }
  for (const fixture of scikitLearn.circles) {
    it.effect(`make_circles ${JSON.stringify(fixture.settings)}`, () =>
      Effect.map(Circles.make(fixture.settings), (data) => equals(data, fixture.inputs, fixture.labels))
    )
  }
  for (const fixture of scikitLearn.blobs) {
    it.effect(`make_blobs ${JSON.stringify(fixture.settings)}`, () =>
      Effect.map(Blobs.make(fixture.settings), (data) => equals(data, fixture.inputs, fixture.labels))
    )
  }
})

describe("every generated set", () => {
  for (const [name, { make }] of Object.entries(generators)) {
    it.effect(`${name}: 100 balanced, finite points within [-3, 3]², the same each time`, () =>
      Effect.gen(function* () {
        const data = yield* make()
        assert.deepStrictEqual(data.inputs.shape, [100, 2])
        assert.deepStrictEqual(data.targets.shape, [100, 1])
        assert.deepStrictEqual(counts(data), [50, 50])
        assert.deepStrictEqual(data.inputNames, ["x1", "x2"])
        assert.deepStrictEqual(data.classNames, ["0", "1"])
        assert.isTrue([...data.inputs.data].every((value) => Math.abs(value) <= 3))
        assert.deepStrictEqual((yield* make()).inputs.data, data.inputs.data)
        assert.notDeepEqual((yield* make({ seed: 1 })).inputs.data, data.inputs.data)
        const order = [...Dataset.labels(data)].join("")
        assert.isFalse(/^(0+1+|(01)+)$/.test(order), "shuffled")
      })
    )

    it.effect(`${name}: refuses settings out of range`, () =>
      Effect.gen(function* () {
        const source = name.toLowerCase()
        const message = (options: Parameters<typeof make>[0]) =>
          Effect.map(Effect.flip(make(options)), (error) => error.message)
        assert.strictEqual(
          yield* message({ examples: 1 }),
          `${source}, setting «examples»: expected a whole number from 2 to 10000000, but 1 came; change the number`
        )
        assert.include(
          yield* message({ noise: -0.1 }),
          "setting «noise»: expected a number from 0 to 100, but -0.1 came"
        )
        assert.include(yield* message({ noise: Number.NaN }), "but NaN came")
        assert.include(yield* message({ noise: "0.5" as never }), "a number from 0 to 100, but 0.5 came")
        assert.include(yield* message({ seed: 0.5 }), "expected a whole number from 0 to 4294967295, but 0.5 came")
        const typo: object = { nois: 1 }
        assert.include(yield* message(typo), "but «nois» came; correct the name")
      })
    )
  }
})

describe("geometry", () => {
  it.effect("moons without noise lie on their half circles", () =>
    Effect.gen(function* () {
      for (const { x, y, label } of points(yield* Moons.make({ examples: 51, noise: 0 }))) {
        const radius = label === 0 ? Math.hypot(x, y) : Math.hypot(x - 1, y - 0.5)
        assert.closeTo(radius, 1, 1e-12)
        assert.isTrue(label === 0 ? y >= -1e-12 : y <= 0.5 + 1e-12)
      }
    })
  )

  it.effect("noise has the deviation that was asked for", () =>
    Effect.gen(function* () {
      const clean = yield* Moons.make({ examples: 20_000, noise: 0 })
      const noisy = yield* Moons.make({ examples: 20_000, noise: 0.2 })
      const squares = [...clean.inputs.data].reduce((sum, value, i) => sum + (noisy.inputs.data[i]! - value) ** 2, 0)
      assert.closeTo(Math.sqrt(squares / 40_000), 0.2, 0.003)
    })
  )

  it.effect("circles have radii 1 and factor", () =>
    Effect.gen(function* () {
      for (const { x, y, label } of points(yield* Circles.make({ noise: 0, factor: 0.3 }))) {
        assert.closeTo(Math.hypot(x, y), label === 0 ? 1 : 0.3, 1e-12)
      }
    })
  )

  it.effect("spirals: the angle follows the radius, half a turn between the arms", () =>
    Effect.gen(function* () {
      const data = yield* Spirals.make({ examples: 201, noise: 0, turns: 2 })
      assert.deepStrictEqual(counts(data), [100, 101])
      for (const { x, y, label } of points(data)) {
        const t = Math.hypot(x, y) / 2.5
        assert.isAtMost(t, 1 + 1e-12)
        const turned = (Math.atan2(y, x) - 4 * Math.PI * t - Math.PI * label) / (2 * Math.PI)
        assert.closeTo(turned, Math.round(turned), 1e-9)
      }
    })
  )

  it.effect("blobs: three centers are three classes, one-hot", () =>
    Effect.gen(function* () {
      const data = yield* Blobs.make({ examples: 100, centers: 3, noise: 0.01 })
      assert.strictEqual(data.task, "classes")
      assert.deepStrictEqual(data.targets.shape, [100, 3])
      assert.deepStrictEqual(counts(data), [34, 33, 33])
      const error = yield* Effect.flip(Blobs.make({ examples: 4, centers: 5 }))
      assert.strictEqual(
        error.message,
        "blobs, setting «examples»: expected at least one example for each of 5 centers, but 4 came; ask for more examples or fewer centers"
      )
    })
  )

  it.effect("xor: the label is whether the signs differ, a quarter of the points in each square", () =>
    Effect.gen(function* () {
      const all = points(yield* Xor.make({ examples: 400, noise: 0 }))
      const quadrants = Map.groupBy(all, ({ x, y }) => `${Math.sign(x)} ${Math.sign(y)}`)
      assert.deepStrictEqual(
        [...quadrants.values()].map((members) => members.length),
        [100, 100, 100, 100]
      )
      for (const { x, y, label } of all) {
        assert.strictEqual(label, x * y < 0 ? 1 : 0)
        assert.isTrue(Math.abs(Math.abs(x) - 1) <= 0.5 && Math.abs(Math.abs(y) - 1) <= 0.5)
      }
    })
  )

  it.effect("checkerboard: neighbouring fields differ, a sixteenth of the points in each", () =>
    Effect.gen(function* () {
      const all = points(yield* Checkerboard.make({ examples: 1600 }))
      const fields = Map.groupBy(all, ({ x, y }) => `${Math.floor(x)} ${Math.floor(y)}`)
      assert.strictEqual(fields.size, 16)
      for (const members of fields.values()) assert.strictEqual(members.length, 100)
      for (const { x, y, label } of all) assert.strictEqual(label, Math.abs(Math.floor(x) + Math.floor(y)) % 2)
    })
  )
})
