import { gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Preprocessing as Kept } from "@rai/core/schema"
import { Effect, FileSystem, Schema, Stream } from "effect"
import * as Batches from "../../src/data/Batches.ts"
import * as Cells from "../../src/data/Cells.ts"
import * as Csv from "../../src/data/Csv.ts"
import * as Dataset from "../../src/data/Dataset.ts"
import * as Frame from "../../src/data/Frame.ts"
import * as Parts from "../../src/data/Parts.ts"
import * as Preprocessing from "../../src/data/Preprocessing.ts"
import * as Source from "../../src/data/Source.ts"
import * as NdArray from "../../src/tensor/NdArray.ts"
import * as Fixture from "../fixtures/Fixture.ts"

/** Written by preprocessing.py: pandas and scikit-learn. */
const fixture = Fixture.read<{
  readonly gaps: ReadonlyArray<string>
  readonly csv: string
  readonly train: number
  readonly missing: ReadonlyArray<ReadonlyArray<number>>
  readonly complete: ReadonlyArray<number>
  readonly made: ReadonlyArray<{
    readonly missing: "mean" | "median"
    readonly standardise: boolean
    readonly inputs: ReadonlyArray<ReadonlyArray<number>>
  }>
}>("preprocessing.json")

const disk = (text: string) =>
  FileSystem.layerNoop({
    stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
    stream: (path) => Stream.make(path.endsWith(".gz") ? gzipSync(text) : new TextEncoder().encode(text))
  })

const categorical = ["colour", "size"]
const file = disk(fixture.csv)
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const total = fixture.missing.length
const near = (came: NdArray.NdArray, expected: Fixture.Numbers | NdArray.NdArray, what: string) =>
  Fixture.near(came, expected, 1e-7, what) // what rounding a column near 1e8 leaves of deviations near 1

describe("preprocessing is scikit-learn's on what pandas reads", () => {
  it("missing are the cells that pandas takes for missing", () => {
    for (const gap of fixture.gaps) assert.isTrue(Cells.isGap(gap), gap)
    for (const text of ["na", "Nan", "none", "?", "-", "0", "inf"]) assert.isFalse(Cells.isGap(text), text)
  })

  it.effect("in a file", () =>
    Effect.gen(function* () {
      const { cells, columns } = yield* Csv.frame("a.csv", { categorical, missing: "mean" })
      assert.deepStrictEqual(
        columns.map(({ name }) => name),
        ["height", "colour", "weight", "constant", "far", "size"]
      )
      assert.deepStrictEqual(
        Array.from(cells.data, (cell) => Number(Number.isNaN(cell))),
        fixture.missing.flat()
      )
      const complete = yield* Csv.frame("a.csv", { categorical, missing: "drop" })
      assert.deepStrictEqual(
        [...(complete.lines as Array<number>)],
        fixture.complete.map((row) => row + 2)
      )
    }).pipe(Effect.provide(file))
  )

  for (const { inputs, missing, standardise } of fixture.made) {
    const rules = { categorical, missing, standardise }
    it.effect(`learned from the first rows, ${missing}${standardise ? ", standardised" : ""}`, () =>
      Effect.gen(function* () {
        const all = yield* Csv.frame("a.csv", rules)
        const train = Frame.select(all, range(0, fixture.train))
        const preprocessing = yield* Preprocessing.fit(train, rules)
        const data = yield* Frame.toDataset(all, preprocessing)
        near(data.inputs, inputs, "inputs")
        assert.deepStrictEqual(data.inputNames.slice(1, 4), ["colour=blue, light", "colour=green", "colour=red"])
        assert.deepStrictEqual(data.inputNames.slice(-3), ["size=2.5", "size=9", "size=10"])
        assert.strictEqual(data.preprocessing, preprocessing)
        // The record comes back whole from JSON, and does the same to a file of inputs alone.
        const codec = Schema.fromJsonString(Kept)
        const text = yield* Schema.encodeEffect(codec)(preprocessing)
        const back = yield* Schema.decodeUnknownEffect(codec)(text)
        assert.deepStrictEqual(back, preprocessing)
        near(yield* Source.inputs("a.csv", { preprocessing: back }), inputs, "inputs alone")
      }).pipe(Effect.provide(file))
    )

    if (missing === "median") continue
    it.effect(`part by part${standardise ? ", standardised" : ""}`, () =>
      Effect.gen(function* () {
        const whole = yield* Csv.read("a.csv", rules)
        const parts = yield* Stream.runCollect(Csv.stream("a.csv.gz", { ...rules, rows: 7 }))
        assert.strictEqual(parts.length, Math.ceil(total / 7))
        const joined = Float64Array.from(parts.flatMap((part) => [...part.inputs.data]))
        near({ shape: whole.inputs.shape, data: joined }, whole.inputs, "inputs")
        const { parts: read, sample } = yield* Parts.file("a.csv", { ...rules, rows: 50 })
        assert.deepStrictEqual(read.sizes, [50, total - 50])
        near(sample.inputs, Batches.rows(whole.inputs, range(0, 50)), "the first part")
      }).pipe(Effect.provide(file))
    )
  }

  it.effect("drops the examples of a part, too", () =>
    Effect.gen(function* () {
      const parts = yield* Stream.runCollect(Csv.stream("a.csv", { categorical, missing: "drop", rows: 20 }))
      assert.strictEqual(
        parts.reduce((sum, part) => sum + Dataset.examples(part), 0),
        fixture.complete.length
      )
    }).pipe(Effect.provide(file))
  )
})

describe("preprocessing", () => {
  const text = "x,colour,y\n1,red,0\n2,blue,1\n3,red,0\n4,grey,1\n"

  it.effect("is nothing where the columns are taken as they are, and is kept where not", () =>
    Effect.gen(function* () {
      const plain = yield* Csv.read("a.csv", { label: "y", missing: "drop" })
      assert.isUndefined(plain.preprocessing)
      const standard = yield* Csv.read("a.csv", { label: "y", standardise: true })
      assert.deepStrictEqual(standard.preprocessing?.columns, [{ _tag: "Number", name: "x", mean: 2, scale: 1 }])
    }).pipe(Effect.provide(disk("x,y\n1,0\n3,1\n")))
  )

  it.effect("learns nothing from what is kept aside", () =>
    Effect.gen(function* () {
      const rules = { label: "y", categorical: ["colour"], standardise: true, missing: "mean" } as const
      const frame = yield* Csv.frame("a.csv", rules)
      const preprocessing = yield* Preprocessing.fit(Frame.select(frame, [0, 2]), rules)
      assert.deepStrictEqual(preprocessing.columns, [
        { _tag: "Number", name: "x", mean: 2, scale: 1, fill: 2 },
        { _tag: "Category", name: "colour", categories: ["red"], fill: "red" }
      ])
      const error = yield* Effect.flip(Frame.toDataset(frame, preprocessing))
      assert.strictEqual(
        error.message,
        "a.csv, line 3, column «colour»: expected a category of the training data, «red», but «blue» came; correct it, train on examples of it, or train with zeros for unseen categories"
      )
      const lenient = yield* Frame.toDataset(frame, { ...preprocessing, unseen: "zeros" })
      assert.deepStrictEqual([...lenient.inputs.data], [-1, 1, 0, 0, 1, 1, 2, 0])
    }).pipe(Effect.provide(disk(text)))
  )

  it.effect("standardises a generated set, in float64 and float32", () =>
    Effect.gen(function* () {
      const data = Effect.runSync(
        Dataset.labelled({
          inputs: NdArray.make([4, 1], [1, 2, 3, 4]),
          labels: [0, 1, 0, 1],
          inputNames: ["x"],
          classNames: ["no", "yes"]
        })
      )
      const frame = Frame.ofDataset(data)
      const { inputs } = yield* Frame.toDataset(frame, yield* Preprocessing.fit(frame, { standardise: true }))
      assert.instanceOf(inputs.data, Float32Array)
      near(
        inputs,
        [[-1.5], [-0.5], [0.5], [1.5]].map(([x]) => [x! / Math.sqrt(1.25)]),
        "inputs"
      )
    })
  )

  const bad: ReadonlyArray<readonly [name: string, content: string, options: Csv.Options, message: string]> = [
    [
      "a missing category",
      "c,y\nred,0\nNA,1\n",
      { categorical: ["c"] },
      "a.csv, line 3, column «c»: expected a category, but «NA» came; fill the cell, remove the line, or train with mean or median for missing values"
    ],
    [
      "an empty category",
      "c,y\n,0\nred,1\n",
      { categorical: ["c"] },
      "a.csv, line 2, column «c»: expected a category, but an empty cell came; fill the cell, remove the line, or train with mean or median for missing values"
    ],
    [
      "a categorical column that is not there",
      "c,y\nred,0\n",
      { categorical: ["colour"] },
      "a.csv, line 1: expected a categorical input column «colour», but the columns are «c», «y»; name one of these as categorical, or none"
    ],
    [
      "a label as categorical",
      "c,y\nred,0\n",
      { categorical: ["y"] },
      "a.csv, line 1: expected categorical columns among the inputs, but «y» is the label; name others as categorical, or none"
    ],
    [
      "keys as categories",
      `c,y\n${Array.from({ length: 1001 }, (_, i) => `key ${i},${i % 2}`).join("\n")}`,
      { categorical: ["c"] },
      "a.csv, line 1002, column «c»: expected at most 1000 categories, but «key 1000» came after as many others; remove the column, or do not name it as categorical"
    ],
    [
      "a column that is missing throughout",
      "x,z,y\n1,,0\n2,NA,1\n",
      { missing: "mean" },
      "a.csv, column «z»: expected values to learn from, but all of them are missing in the training data; remove the column"
    ],
    [
      "categories that are missing throughout",
      "x,z,y\n1,,0\n2,NA,1\n",
      { missing: "median", categorical: ["z"] },
      "a.csv, column «z»: expected values to learn from, but all of them are missing in the training data; remove the column"
    ],
    [
      "nothing left once examples are dropped",
      "x,z,y\n1,,0\n2,NA,1\n",
      { missing: "drop" },
      "a.csv: expected at least one example below the header, but each has a missing value; fill missing values by mean or median, or remove the columns that lack most"
    ],
    [
      "one class left once examples are dropped",
      "x,z,y\n1,,a\n2,NA,a\n3,4,b\n",
      { missing: "drop" },
      "a.csv, column «y»: expected at least two classes, but every label is «b» where no value is missing (2 examples left out); fill missing values by mean or median, or remove the columns that lack most"
    ],
    [
      "infinity, which no rule fills",
      "x,y\n1,0\ninf,1\n",
      { missing: "mean" },
      "a.csv, line 3, column «x»: expected a finite number, but «inf» came; fill the cell or remove the line"
    ],
    [
      "a label that is missing, which no rule fills",
      "x,y\n1,0\n2,\n",
      { missing: "mean" },
      "a.csv, line 3, column «y»: expected a label, but an empty cell came; fill the cell, remove the line, or train with drop for missing values"
    ]
  ]
  for (const [name, content, options, message] of bad) {
    it.effect(`refuses ${name}`, () =>
      Effect.gen(function* () {
        const { message: came } = yield* Effect.flip(Csv.read("a.csv", options))
        assert.strictEqual(came, message)
      }).pipe(Effect.provide(disk(content)))
    )
  }

  it.effect("says how many examples of all parts are left out where one class is left", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(Stream.runDrain(Csv.stream("a.csv", { missing: "drop", rows: 1 })))
      assert.include(message, "every label is «b» where no value is missing (2 examples left out)")
    }).pipe(Effect.provide(disk("x,y\n,a\n1,b\n,a\n2,b\n")))
  )

  it.effect("refuses the median of a file that is read in parts", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* Effect.flip(Stream.runDrain(Csv.stream("a.csv", { missing: "median" })))).message,
        "a.csv, setting «missing»: expected a rule that needs no more than a part of the data at a time, but median came; choose mean, or read the data at once"
      )
    }).pipe(Effect.provide(disk(text)))
  )

  it.effect("refuses what it was not learned from", () =>
    Effect.gen(function* () {
      const fit = (cells: Partial<Cells.Cells>) =>
        Preprocessing.fit({ source: "train", columns: [{ name: "x" }], cells: NdArray.make([2, 1], [1, 2]), ...cells })
      const numbers = yield* fit({})
      const colours = yield* fit({ columns: [{ name: "x", texts: ["a", "b"] }], cells: NdArray.make([2, 1], [0, 1]) })
      const encode = (preprocessing: Preprocessing.Preprocessing, cells: Partial<Cells.Cells>) =>
        Effect.map(
          Effect.flip(
            Preprocessing.encode(preprocessing, {
              source: "new",
              columns: [{ name: "x" }],
              cells: NdArray.make([1, 1], [1]),
              ...cells
            })
          ),
          ({ message }) => message
        )
      assert.strictEqual(
        yield* encode(numbers, { columns: [{ name: "z" }] }),
        "new: expected a column «x» of numbers, but the columns are «z»; read it as the training data were"
      )
      assert.strictEqual(
        yield* encode(colours, {}),
        "new: expected a column «x» of categories, but the columns are «x»; read it as the training data were"
      )
      assert.strictEqual(
        yield* encode(numbers, { columns: [{ name: "x", texts: ["a", "b"] }] }),
        "new: expected a column «x» of numbers, but the columns are «x» (categories); read it as the training data were"
      )
      assert.strictEqual(
        yield* encode(numbers, { cells: NdArray.make([2, 1], [1, Number.NaN]) }),
        "new, column «x»: expected a number, but none came in example 2; fill it, leave the example out, or train with mean or median for missing values"
      )
      assert.strictEqual(
        yield* encode(colours, { columns: [{ name: "x", texts: ["c"] }], cells: NdArray.make([1, 1], [0]) }),
        "new, column «x»: expected a category of the training data, «a», «b», but «c» came in example 1; correct it, train on examples of it, or train with zeros for unseen categories"
      )
    })
  )
})
