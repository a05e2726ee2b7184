import { assert, describe, it } from "@effect/vitest"
import { Effect, pipe } from "effect"
import * as FastCheck from "fast-check"
import * as Dataset from "../../src/data/Dataset.ts"
import * as Moons from "../../src/data/Moons.ts"
import * as NdArray from "../../src/tensor/NdArray.ts"

const sample = (labels: ReadonlyArray<number>, classes: number) =>
  Dataset.labelled({
    inputs: { shape: [labels.length, 1], data: Float64Array.from(labels, (_, i) => i) },
    labels,
    inputNames: ["index"],
    classNames: Array.from({ length: classes }, (_, i) => `class ${i}`)
  })

const parts: Dataset.Parts = {
  inputs: NdArray.make([2, 2], [1, 2, 3, 4]),
  targets: NdArray.make([2, 1], [0, 1]),
  task: "binary",
  inputNames: ["a", "b"],
  classNames: ["no", "yes"]
}

describe("make", () => {
  it.effect("keeps what fits", () =>
    Effect.gen(function* () {
      const data = yield* Dataset.make(parts)
      assert.deepStrictEqual({ ...data }, parts)
      assert.deepStrictEqual([Dataset.examples(data), Dataset.features(data), Dataset.outputs(data)], [2, 2, 1])
      assert.deepStrictEqual([...Dataset.labels(data)], [0, 1])
    })
  )

  const bad: ReadonlyArray<readonly [name: string, change: Partial<Dataset.Parts>, message: string]> = [
    [
      "inputs of the wrong rank",
      { inputs: NdArray.make([4], [1, 2, 3, 4]) },
      "data set: expected inputs of shape [examples, features], both at least 1, but 4 numbers of shape [4] came; give one row an example"
    ],
    [
      "no examples",
      { inputs: NdArray.make([0, 2], []) },
      "data set: expected inputs of shape [examples, features], both at least 1, but 0 numbers of shape [0,2] came; give one row an example"
    ],
    [
      "targets of another length",
      { targets: NdArray.make([3, 1], [0, 1, 0]) },
      "data set: expected targets of shape [2,1] for the task binary, but 3 numbers of shape [3,1] came; give one row an example"
    ],
    [
      "one column for classes",
      { task: "classes" },
      "data set: expected targets of shape [2,classes] for the task classes, but 2 numbers of shape [2,1] came; give one row an example"
    ],
    [
      "a name too few",
      { inputNames: ["a"] },
      "data set: expected 2 different input names, but «a» came; name each feature once"
    ],
    [
      "a class name twice",
      { classNames: ["a", "a"] },
      "data set: expected 2 different class names, but «a», «a» came; name each class once"
    ],
    [
      "a class name too many",
      { classNames: ["a", "b", "b"] },
      "data set: expected 2 different class names, but «a», «b», «b» came; name each class once"
    ],
    [
      "an infinite input",
      { inputs: NdArray.make([2, 2], [1, 2, 3, Number.POSITIVE_INFINITY]) },
      "data set: expected finite inputs, but Infinity came in example 2, feature «b»; replace the number or leave the example out"
    ],
    [
      "a target that is no class",
      { targets: NdArray.make([2, 1], [0, 2]) },
      "data set: expected targets 0 or 1, but 2 came in example 2; change the target or the task"
    ],
    [
      "two hot columns",
      { targets: NdArray.make([2, 2], [1, 0, 1, 1]), task: "classes" },
      "data set: expected one-hot targets, but 1, 1 came in example 2; change the target or the task"
    ]
  ]
  for (const [name, change, message] of bad) {
    it.effect(`refuses ${name}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Dataset.make({ ...parts, ...change }))
        assert.strictEqual(error._tag, "DataInvalid")
        assert.strictEqual(error.message, message)
      })
    )
  }

  it.effect("refuses a value that is not finite", () =>
    Effect.gen(function* () {
      const { classNames: _, ...rest } = parts
      const targets = NdArray.make([2, 1], [0.5, Number.NaN])
      const error = yield* Effect.flip(Dataset.make({ ...rest, targets, task: "regression" }))
      assert.strictEqual(
        error.message,
        "data set: expected finite targets, but NaN came in example 2; change the target or the task"
      )
    })
  )
})

describe("labelled", () => {
  it.effect("two classes are one column, more are one-hot", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual([...(yield* sample([0, 1, 1], 2)).targets.data], [0, 1, 1])
      const three = yield* sample([2, 0, 1], 3)
      assert.deepStrictEqual([...three.targets.data], [0, 0, 1, 1, 0, 0, 0, 1, 0])
      assert.deepStrictEqual([...Dataset.labels(three)], [2, 0, 1])
    })
  )

  it.effect("refuses a single class, which leaves nothing to tell apart", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* Effect.flip(sample([0, 0], 1))).message,
        "data set: expected two class names or more, but «class 0» came; name both classes, or add examples of another"
      )
      assert.include((yield* Effect.flip(sample([], 0))).message, "two class names or more, but none came")
    })
  )

  it.effect("refuses a class number out of range", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* Effect.flip(sample([0, 3, 1], 3))).message,
        "data set: expected whole class numbers from 0, below 3, but 3 came in example 2; correct the label, or name its class too"
      )
      assert.include((yield* Effect.flip(sample([0, -1], 2))).message, "but -1 came in example 2")
      assert.include((yield* Effect.flip(sample([0.5, 1], 2))).message, "but 0.5 came in example 1")
    })
  )
})

describe("select", () => {
  it.effect("takes examples in the order asked for, piped or not", () =>
    Effect.gen(function* () {
      const data = yield* sample([0, 1, 2, 1], 3)
      const chosen = data.pipe(Dataset.select([3, 0]))
      assert.deepStrictEqual([...chosen.inputs.data], [3, 0])
      assert.deepStrictEqual([...Dataset.labels(chosen)], [1, 0])
      assert.deepStrictEqual([...Dataset.select(data, [3, 0]).inputs.data], [3, 0])
      assert.deepStrictEqual([...pipe(chosen, Dataset.select([1])).inputs.data], [0])
    })
  )

  it.effect("refuses examples that there are not, and to leave none", () =>
    Effect.gen(function* () {
      const data = yield* sample([0, 1, 2, 1], 3)
      for (const [indices, came] of [
        [[1, 100], "100"],
        [[-1], "-1"],
        [[], "none"]
      ] as const) {
        const message = `select: expected indices of examples, from 0 to 3, but ${came} came; select from the examples that there are`
        assert.throws(() => Dataset.select(data, indices), message)
      }
    })
  )
})

describe("split", () => {
  it.effect("keeps a fifth of each class aside, the same for the same seed", () =>
    Effect.gen(function* () {
      const data = yield* Moons.paper
      const { train, test } = yield* Dataset.split(data, { share: 0.2 })
      const ones = (part: Dataset.Dataset) => Dataset.labels(part).reduce((sum, label) => sum + label, 0)
      assert.deepStrictEqual([Dataset.examples(train), ones(train)], [80, 40])
      assert.deepStrictEqual([Dataset.examples(test), ones(test)], [20, 10])
      const again = yield* data.pipe(Dataset.split({ share: 0.2, seed: 0 }))
      assert.deepStrictEqual(again.test.inputs.data, test.inputs.data)
      const other = yield* Dataset.split(data, { share: 0.2, seed: 1 })
      assert.notDeepEqual(other.test.inputs.data, test.inputs.data)
    })
  )

  it("parts the examples: each once, in order, round(share · n_c) of each class", () => {
    const cases = FastCheck.record({
      sizes: FastCheck.array(FastCheck.integer({ min: 2, max: 30 }), { minLength: 2, maxLength: 5 }),
      share: FastCheck.double({ min: 0.01, max: 0.99, noNaN: true }),
      seed: FastCheck.nat()
    })
    FastCheck.assert(
      FastCheck.property(cases, ({ sizes, share, seed }) => {
        const labels = sizes.flatMap((size, label) => Array<number>(size).fill(label))
        const data = Effect.runSync(sample(labels, sizes.length))
        const { train, test } = Effect.runSync(Dataset.split(data, { share, seed }))
        const [kept, aside] = [[...train.inputs.data], [...test.inputs.data]]
        assert.deepStrictEqual(
          [...kept, ...aside].sort((a, b) => a - b),
          [...data.inputs.data]
        )
        for (const part of [kept, aside])
          assert.deepStrictEqual(
            part,
            [...part].sort((a, b) => a - b)
          )
        for (const [label, size] of sizes.entries()) {
          const count = Dataset.labels(test).filter((each) => each === label).length
          assert.strictEqual(count, Math.min(size - 1, Math.max(1, Math.round(share * size))))
        }
      })
    )
  })

  it.effect("refuses a share that leaves nothing and a class of one", () =>
    Effect.gen(function* () {
      const data = yield* sample([0, 1, 1], 2)
      assert.strictEqual(
        (yield* Effect.flip(Dataset.split(data, { share: 1 }))).message,
        "split, setting «share»: expected a share of the examples between 0 and 1, but 1 came; give for instance 0.2"
      )
      assert.strictEqual(
        (yield* Effect.flip(Dataset.split(data, { share: 0.5 }))).message,
        "split: expected at least two examples of class «class 0», but only one came; add examples, or leave this one out"
      )
    })
  )

  it.effect("divides training data again into training and validation", () =>
    Effect.gen(function* () {
      const data = yield* sample(
        Array.from({ length: 300 }, (_, i) => i % 3),
        3
      )
      const { train: rest, test } = yield* Dataset.split(data, { share: 0.2 })
      const { train, test: validation } = yield* Dataset.split(rest, { share: 0.25, source: "validation" })
      const all = [train, validation, test]
      assert.deepStrictEqual(all.map(Dataset.examples), [180, 60, 60])
      for (const part of all) {
        for (const label of [0, 1, 2]) {
          assert.strictEqual(Dataset.labels(part).filter((each) => each === label).length, Dataset.examples(part) / 3)
        }
      }
      const indices = all.flatMap((part) => [...part.inputs.data])
      assert.deepStrictEqual(new Set(indices), new Set(data.inputs.data))
    })
  )

  it.effect("divides into three, by shares of all", () =>
    Effect.gen(function* () {
      const labels = Array.from({ length: 300 }, (_, i) => i % 3)
      const data = yield* sample(labels, 3)
      const { test, train, validation } = yield* Dataset.divide(data, { validation: 0.2, test: 0.3, seed: 5 })
      const all = [train, validation, test]
      assert.deepStrictEqual(all.map(Dataset.examples), [150, 60, 90])
      for (const part of all) {
        const counts = [0, 1, 2].map((label) => Dataset.labels(part).filter((each) => each === label).length)
        assert.deepStrictEqual(counts, Array(3).fill(Dataset.examples(part) / 3))
      }
      assert.deepStrictEqual(new Set(all.flatMap((part) => [...part.inputs.data])), new Set(data.inputs.data))
      assert.strictEqual(
        (yield* Effect.flip(Dataset.divide(data, { validation: 0.5, test: 0.5 }))).message,
        "split: expected shares of the examples for validation and test, above 0 and below 1 together, but 0.5 and 0.5 came; give for instance 0.2 and 0.2"
      )
    })
  )

  it.effect("refuses a class too small for training, validation and test, and names the division", () =>
    Effect.gen(function* () {
      const data = yield* sample([0, 0, 0, 0, 0, 0, 1, 1], 2)
      const { train } = yield* Dataset.split(data, { share: 0.25 })
      assert.strictEqual(
        (yield* Effect.flip(Dataset.split(train, { share: 0.25, source: "validation" }))).message,
        "validation: expected at least two examples of class «class 1», but only one came; add examples, or leave this one out"
      )
      assert.strictEqual(
        (yield* Effect.flip(Dataset.split(train, { share: 0, source: "validation" }))).message,
        "validation, setting «share»: expected a share of the examples between 0 and 1, but 0 came; give for instance 0.2"
      )
    })
  )
})
