import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  Dataset,
  Frame,
  Initializer,
  Moons,
  NdArray,
  Preprocessing,
  ReferenceEngine,
  Score,
  ShapeMismatch,
  type Trained
} from "@rai/core"
import { Effect } from "effect"
import { Plane } from "../src/index.ts"

/** A data set of standardised incomes and ages. */
const people = Effect.gen(function* () {
  const rows = Array.from({ length: 40 }, (_, i) => [52_000 + 15_000 * Math.sin(i), 45 + 20 * Math.cos(3 * i)])
  const frame = Frame.of({
    source: "people",
    columns: [{ name: "income" }, { name: "age" }],
    cells: { shape: [40, 2], data: Float64Array.from(rows.flat()) },
    targets: NdArray.make(
      [40, 1],
      rows.map(([income]) => Number(income! > 52_000))
    ),
    task: "binary",
    classNames: ["no", "yes"]
  })
  const data = yield* Frame.toDataset(frame, yield* Preprocessing.fit(frame, { standardise: true }))
  return { data, rows }
})

describe("the plane of a circuit's inputs", () => {
  it.effect("of standardised columns is in their own units", () =>
    Effect.gen(function* () {
      const { data, rows } = yield* people
      const circuit = Circuit.perceptron([2, 4, 1], { activation: "tanh" })
      const origin = { plan: "", seed: 0, engine: "reference", version: "" }
      const trained = { ...data, circuit, parameters: Initializer.pytorch(circuit, 1), origin }
      const plane = Plane.of(trained, data)
      const columns = [0, 1].map((at) => rows.map((row) => row[at]!))
      for (const [at, column] of columns.entries()) {
        const mean = column.reduce((a, b) => a + b) / 40
        const deviation = Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 40)
        const [low, high] = plane.extents![at]!
        assert.closeTo(low, mean - 3 * deviation, 1e-9 * mean)
        assert.closeTo(high, mean + 3 * deviation, 1e-9 * mean)
      }
      assert.deepStrictEqual(
        [plane.inputNames, plane.classNames],
        [
          ["income", "age"],
          ["no", "yes"]
        ]
      )
      for (const [i, { label, x, y }] of Plane.points(data).entries()) {
        assert.closeTo(x, rows[i]![0]!, 1e-8)
        assert.closeTo(y, rows[i]![1]!, 1e-8)
        assert.strictEqual(label, data.targets.data[i])
      }
      // A cell says what the circuit says of its centre.
      const small = { ...plane, grid: 5 }
      const cells = yield* Plane.probabilities(trained, small)
      const frame = { source: "cells", columns: [{ name: "income" }, { name: "age" }], cells: Plane.inputs(small) }
      const z = yield* Preprocessing.encode(data.preprocessing!, frame)
      const logits = yield* Score.predict(trained, z)
      for (const [i, o] of logits.data.entries()) assert.closeTo(cells[i]!, 1 / (1 + Math.exp(-o)), 1e-6)
      assert.isAbove(new Set(cells).size, 20)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("is the paper's where the examples fill a part of it, else what they cover and an eighth more", () =>
    Effect.gen(function* () {
      const moons = yield* Moons.paper
      assert.deepStrictEqual(Plane.of(moons, moons).extents, Plane.paper.extents)
      assert.deepStrictEqual(Plane.of(moons).extents, Plane.paper.extents)
      // Only for standardised columns do three deviations say where examples lie that are not there.
      const { data: standardised } = yield* people
      const assumed = [Plane.of(moons), Plane.of(moons, moons), Plane.of(standardised)].map(
        ({ isAssumed }) => isAssumed
      )
      assert.deepStrictEqual(assumed, [true, false, false])
      const far = yield* Dataset.make({
        ...moons,
        inputs: NdArray.make([100, 2], Array.from({ length: 100 }, (_, i) => [8 * i, i / 99]).flat())
      })
      const [across, up] = Plane.of(far, far).extents!
      assert.deepStrictEqual(across, [-99, 891])
      assert.deepStrictEqual(up, [-3, 3])
    })
  )

  it.effect("takes classes from one-hot targets too, and refuses what has no plane or no probability of class 1", () =>
    Effect.gen(function* () {
      const moons = yield* Moons.paper
      const [inputs, labels, classNames] = [moons.inputs, Dataset.labels(moons), ["upper", "lower"]]
      const oneHot = yield* Dataset.labelled({ ...moons, inputs, labels, classNames, task: "classes" })
      assert.deepStrictEqual(Plane.points(oneHot), Plane.points(moons))
      const narrow = { ...moons, inputNames: ["x"], inputs: NdArray.full([100, 1], 0) }
      for (const wrong of [() => Plane.points(narrow), () => Plane.of(narrow), () => Plane.inputs({ grid: 1.5 })])
        assert.throws(wrong, ShapeMismatch)

      const origin = { plan: "", seed: 0, engine: "reference", version: "" }
      const refused = (widths: ReadonlyArray<number>, of: Pick<Trained.Trained, "task" | "inputNames">) => {
        const circuit = Circuit.perceptron(widths, { activation: "tanh" })
        const trained = { ...of, circuit, parameters: Initializer.pytorch(circuit, 1), origin }
        return Effect.map(Effect.flip(Plane.probabilities(trained, { grid: 2 })), ({ message }) => message)
      }
      const inputNames = ["x", "y"]
      assert.deepStrictEqual(
        [
          yield* refused([2, 3], { task: "classes", inputNames }),
          yield* refused([2, 1], { task: "regression", inputNames }),
          yield* refused([1, 1], { task: "binary", inputNames: ["x"] })
        ],
        [
          "the plane: expected two classes, but 3 classes came; draw a circuit that tells two classes apart",
          "the plane: expected two classes, but a regression came; draw a circuit that tells two classes apart",
          "the plane: expected two inputs with names, but 1 came; draw a circuit of two inputs"
        ]
      )
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})
