import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as FastCheck from "fast-check"
import * as Dataset from "../../src/data/Dataset.ts"
import * as Frame from "../../src/data/Frame.ts"
import * as Moons from "../../src/data/Moons.ts"
import * as Preprocessing from "../../src/data/Preprocessing.ts"
import * as Repeats from "../../src/data/Repeats.ts"
import * as Warnings from "../../src/data/Warnings.ts"

const inputsOf = (rows: ReadonlyArray<ReadonlyArray<number>>) => ({
  shape: [rows.length, rows[0]!.length],
  data: Float64Array.from(rows.flat())
})

const namesOf = (rows: ReadonlyArray<ReadonlyArray<number>>) => rows[0]!.map((_, i) => `x${i + 1}`)

const labelled = (rows: ReadonlyArray<ReadonlyArray<number>>, labels: ReadonlyArray<number>, classes = 2) =>
  Dataset.labelled({
    inputs: inputsOf(rows),
    labels,
    inputNames: namesOf(rows),
    classNames: Array.from({ length: classes }, (_, i) => `class ${i}`)
  })

const values = (rows: ReadonlyArray<ReadonlyArray<number>>, ...targets: ReadonlyArray<ReadonlyArray<number>>) =>
  Dataset.make({
    inputs: inputsOf(rows),
    targets: inputsOf(rows.map((_, i) => targets.map((values) => values[i]!))),
    task: "regression",
    inputNames: namesOf(rows)
  })

const line = (n: number) => Array.from({ length: n }, (_, i) => [i])
/** Inputs with a standard deviation of 0.29. */
const near = (n: number) => line(n).map(([i]) => [i! / n])
const alternating = (n: number, classes = 2) => Array.from({ length: n }, (_, i) => i % classes)

const rowsOfScale = (large: number) => line(50).map(([i]) => [Math.sin(i!), large * Math.cos(i!)])

const cases: ReadonlyArray<
  readonly [name: string, data: ReturnType<typeof Dataset.make>, messages: ReadonlyArray<string>]
> = [
  ["nothing of the paper's points", Moons.paper, []],
  [
    "nothing of one repeat in two hundred",
    labelled([[0], [0], ...near(200).slice(2)], alternating(200).with(1, 0)),
    []
  ],
  [
    "of one repeat in a hundred",
    labelled([[0], [-0], ...line(100).slice(2)], alternating(100).with(1, 0)),
    [
      "1 example of 100 repeats the inputs of an earlier one (one point comes 2 times): remove copies, which weigh in the loss and, on both sides of a split, flatter the test"
    ]
  ],
  [
    "of points with different classes",
    labelled([[0], [0], [0], [1], [1], [2], [3], [4]], [0, 1, 1, 0, 1, 0, 1, 0]),
    [
      "3 examples of 8 repeat the inputs of an earlier one (one point comes 3 times): remove copies, which weigh in the loss and, on both sides of a split, flatter the test",
      "2 points come with different classes, so that no accuracy above 75 % can be reached: correct them, or add a column that tells them apart"
    ]
  ],
  [
    "of points with different values",
    values([[0], [0], [1], [2]], [1, 3, 5, 7]),
    [
      "1 example of 4 repeats the inputs of an earlier one (one point comes 2 times): remove copies, which weigh in the loss and, on both sides of a split, flatter the test",
      "1 point comes with different targets, so that no mean squared error below 0.5 can be reached: correct them, or add a column that tells them apart"
    ]
  ],
  [
    "of a constant column",
    labelled(
      line(4).map(([i]) => [i!, 7]),
      alternating(4)
    ),
    ["the column «x2» holds one value alone, from which nothing can be learned: remove it"]
  ],
  [
    "of many constant columns",
    labelled(
      line(4).map(([i]) => [1, 2, 3, 4, i!, 5, 6, 7]),
      alternating(4)
    ),
    [
      "the columns «x1», «x2», «x3», «x4», «x6» and 2 more hold one value each, from which nothing can be learned: remove them"
    ]
  ],
  [
    "nothing of pixels that are always dark",
    Effect.map(
      labelled(
        line(4).map(([i]) => [0, i!]),
        alternating(4)
      ),
      (data) => ({ ...data, inputNames: ["p0", "p1"] })
    ),
    []
  ],
  ["nothing of columns within a factor of a hundred", labelled(rowsOfScale(90), alternating(50)), []],
  [
    "of columns of very different scale",
    labelled(rowsOfScale(2000), alternating(50)),
    [
      "the standard deviation of «x2» is 2000 times that of «x1», which hides the smaller from a circuit: standardise the columns, each to mean 0 and deviation 1"
    ]
  ],
  [
    "nothing of a rare event on the same scale",
    labelled(
      line(20_000).map(([i]) => [Math.sin(i!), i === 0 ? 1 : 0]),
      alternating(20_000)
    ),
    []
  ],
  [
    "of columns that are all far from 1",
    labelled(
      line(200).map(([i]) => [1000 * i!, 50 * i!]),
      alternating(200)
    ),
    [
      "the standard deviation of «x2», the smallest, is 2900, while circuits begin with numbers around 1: standardise the columns, each to mean 0 and deviation 1"
    ]
  ],
  [
    "of columns that are all close to nothing",
    labelled(
      line(50).map(([i]) => [1e-7 * i!]),
      alternating(50)
    ),
    [
      "the standard deviation of «x1», the largest, is 0.0000014, while circuits begin with numbers around 1: standardise the columns, each to mean 0 and deviation 1"
    ]
  ],
  [
    "of columns far from zero",
    labelled(
      line(50).map(([i]) => [2 ** 24 + 2 * i!, i!]),
      alternating(50)
    ),
    [
      "of «x1» the numbers differ by less than a 100,000th of their size, of which float32 and so an exported model keep little: subtract what they have in common in the file itself"
    ]
  ],
  [
    "nothing of a target in thousands, which is trained on in its own unit",
    values(
      line(50),
      line(50).map(([i]) => 200_000 + 1000 * i!)
    ),
    []
  ],
  [
    "of a target that float32 does not tell apart",
    values(
      line(50),
      line(50).map(([i]) => 2 ** 24 + 2 * i!)
    ),
    [
      "of target 1 the numbers differ by less than a 100,000th of their size, of which float32 keeps little: subtract what they have in common, and add it to what is predicted"
    ]
  ],
  [
    "of a rare class",
    labelled(
      line(100),
      line(100).map(([i]) => (i! < 4 ? 1 : 0))
    ),
    [
      "only 4 of 100 examples are of class «class 1», and always answering «class 0» is right for 96 %: judge by more than the accuracy, and add examples of the rare class"
    ]
  ],
  ["nothing of a hundred equal classes", labelled(near(1000), alternating(1000, 100), 100), []],
  [
    "of one class alone",
    labelled(line(3), [1, 1, 1]),
    ["every example is of class «class 1», so that nothing is told apart: add examples of another"]
  ],
  [
    "of an absent class",
    labelled(line(4), [0, 1, 0, 1], 3),
    ["no example is of class «class 2», which will never be answered: add examples, or leave the class out"]
  ],
  [
    "of one value alone",
    values(line(3), [2, 2, 2]),
    ["every target is 2, so that nothing is learned: add examples with others"]
  ],
  [
    "of a target that is constant beside others",
    values(line(3), [1, 2, 3], [5, 5, 5], [1, 0, 1]),
    ["target 2 is always 5, from which nothing is learned, and its R² weighs in the mean of all: leave it out"]
  ],
  [
    "of six targets that are constant beside another, on one line",
    values(line(2), [1, 2], ...Array.from({ length: 6 }, (_, i) => [i, i])),
    [
      "target 2 is always 0, target 3 is always 1, target 4 is always 2, target 5 is always 3, target 6 is always 4 and 1 more likewise, from which nothing is learned, and their R² weighs in the mean of all: leave them out"
    ]
  ]
]

describe("warns", () => {
  for (const [name, data, messages] of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const warnings = Warnings.of(yield* data)
        assert.deepStrictEqual(
          warnings.map(({ message }) => message),
          messages
        )
        for (const { message } of warnings) assert.notInclude(message, "\n")
      })
    )
  }

  it.effect("with what it is about", () =>
    Effect.gen(function* () {
      const data = yield* labelled([[1], [1], [1]], [0, 1, 1])
      assert.deepStrictEqual(
        Warnings.of(data).map(({ about }) => about),
        ["repeats", "conflicts", "constant"]
      )
    })
  )
})

describe("repeats", () => {
  const point = FastCheck.array(FastCheck.constantFrom(0, -0, 1, 0.1 + 0.2, 0.3, -5e-324), {
    minLength: 2,
    maxLength: 2
  })
  const examples = FastCheck.array(FastCheck.tuple(point, FastCheck.integer({ min: 0, max: 2 })), {
    minLength: 1,
    maxLength: 60
  })

  it("are those of a comparison of each with each", () => {
    FastCheck.assert(
      FastCheck.property(examples, (pairs) => {
        const rows = pairs.map(([inputs]) => inputs)
        const labels = pairs.map(([, label]) => label)
        const found = Repeats.of(Effect.runSync(labelled(rows, labels, 3)))
        const same = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => a[0] === b[0] && a[1] === b[1]
        const members = rows.map((row) => labels.filter((_, i) => same(rows[i]!, row)))
        const first = rows.map((row, i) => rows.findIndex((other) => same(other, row)) === i)
        const top = (all: ReadonlyArray<number>) =>
          Math.max(...[0, 1, 2].map((label) => all.filter((each) => each === label).length))
        const right = members.reduce((sum, all, i) => (first[i] ? sum + top(all) : sum), 0)
        assert.strictEqual(found.repeats, first.filter((each) => !each).length)
        assert.strictEqual(found.most, Math.max(...members.map((all) => all.length)))
        assert.strictEqual(found.conflicts, members.filter((all, i) => first[i] && new Set(all).size > 1).length)
        assert.closeTo(found.best, right / rows.length, 1e-12)
      })
    )
  })
})

it.effect("of what a model standardises, columns far from 0 are warned of, and none that holds one value", () =>
  Effect.gen(function* () {
    const rows = line(4).map(([i]) => [20_260_101, 1.7e9 + i!, i!])
    const frame = Frame.ofDataset(yield* labelled(rows, alternating(4)))
    const messages = Warnings.ofPreprocessing(yield* Preprocessing.fit(frame, { standardise: true }))
    assert.deepStrictEqual(
      messages.map(({ message }) => message),
      [
        "of «x2» the numbers differ by less than a 100,000th of their size, of which float32 and so an exported model keep little: subtract what they have in common in the file itself"
      ]
    )
  })
)
