import { assert, describe, it } from "@effect/vitest"
import { Classification, Metrics, NdArray, Regression, ShapeMismatch } from "@rai/core"
import * as Fixture from "../fixtures/Fixture.ts"

/** Written by metrics.py: scikit-learn. */
const fixture = Fixture.read<{
  readonly classes: ReadonlyArray<{
    readonly classes: number
    readonly labels: ReadonlyArray<number>
    readonly predicted: ReadonlyArray<number>
    readonly probabilities: Fixture.Numbers
    readonly confusion: Fixture.Numbers
    readonly accuracy: number
    readonly balancedAccuracy: number
    readonly f1: ReadonlyArray<number>
    readonly macroF1: number
    readonly logLoss: number
  }>
  readonly binary: ReadonlyArray<{
    readonly labels: ReadonlyArray<number>
    readonly scores: ReadonlyArray<number>
    readonly rocAuc: number
  }>
  readonly regression: ReadonlyArray<
    { readonly targets: Fixture.Numbers; readonly predictions: Fixture.Numbers } & Readonly<
      Record<"r2" | "meanSquaredError" | "rootMeanSquaredError" | "meanAbsoluteError", number>
    >
  >
  readonly toldApart: ReadonlyArray<
    Omit<Metrics.OfClasses, "examples"> & { readonly targets: Fixture.Numbers; readonly outputs: Fixture.Numbers }
  >
  readonly certain: Readonly<Record<"float32" | "float64", number>>
  readonly strays: Fixture.Numbers
  /** Macro F1 where the third of three classes is neither present nor predicted. */
  readonly absent: number
}>("metrics.json")

const near = (came: number, expected: number, what: string) => assert.approximately(came, expected, 1e-12, what)

describe("metrics are scikit-learn's", () => {
  for (const [i, of] of fixture.classes.entries()) {
    it(`of ${of.classes} classes, ${i}`, () => {
      const confusion = Classification.confusionMatrix(of.labels, of.predicted, of.classes)
      Fixture.near(confusion, of.confusion, 0, "confusion matrix")
      near(Classification.accuracy(of.labels, of.predicted), of.accuracy, "accuracy")
      near(Classification.balancedAccuracy(confusion), of.balancedAccuracy, "balanced accuracy")
      Classification.f1(confusion).forEach((f1, c) => {
        near(f1, of.f1[c]!, `F1 of class ${c}`)
      })
      near(Classification.macroF1(confusion), of.macroF1, "macro F1")
      near(Classification.logLoss(of.labels, Fixture.array(of.probabilities)), of.logLoss, "log loss")
    })
  }

  for (const [i, of] of fixture.binary.entries()) {
    it(`of scores, ${i}`, () => {
      near(Classification.rocAuc(of.labels, of.scores), of.rocAuc, "ROC AUC")
    })
  }

  for (const [i, of] of fixture.regression.entries()) {
    it(`of values, ${i}`, () => {
      const [y, p] = [Fixture.array(of.targets), Fixture.array(of.predictions)]
      for (const name of ["r2", "meanSquaredError", "rootMeanSquaredError", "meanAbsoluteError"] as const) {
        near(Regression[name](y, p), of[name], name)
      }
    })
  }

  for (const { outputs, targets, ...expected } of fixture.toldApart) {
    it(`of logits, ${expected.task}`, () => {
      const came = Metrics.of(expected.task, Fixture.array(targets), Fixture.array(outputs)) as Metrics.OfClasses
      assert.strictEqual(came.examples, (targets as ReadonlyArray<Fixture.Numbers>).length)
      assert.deepStrictEqual(came.confusion, expected.confusion)
      for (const name of ["accuracy", "balancedAccuracy", "f1", "rocAuc", "logLoss"] as const) {
        near(came[name], expected[name], name)
      }
      came.f1OfClasses.forEach((f1, c) => {
        near(f1, expected.f1OfClasses[c]!, `F1 of class ${c}`)
      })
    })
  }

  it("of values, all at once", () => {
    for (const { predictions, targets, ...expected } of fixture.regression) {
      const came = Metrics.of("regression", Fixture.array(targets), Fixture.array(predictions)) as Metrics.OfValues
      assert.strictEqual(came.ofTargets.length, Fixture.array(targets).shape[1])
      for (const name of ["r2", "rootMeanSquaredError", "meanAbsoluteError"] as const) {
        near(came[name], expected[name], name)
        // scikit-learn's average over outputs.
        const each = came.ofTargets.map((fit) => fit[name])
        near(each.reduce((sum, value) => sum + value, 0) / each.length, expected[name], `the mean ${name}`)
      }
    }
  })

  it("of what does not belong together are none", () => {
    const of = (...shape: ReadonlyArray<number>) => NdArray.full(shape, 1)
    const wrong = [
      () => Metrics.of("binary", of(3, 1), of(2, 1)),
      () => Metrics.of("binary", of(3, 2), of(3, 2)),
      () => Metrics.of("classes", of(2, 3), of(2, 2)),
      () => Regression.r2(of(3, 1), of(2, 1)),
      () => Regression.meanAbsoluteError(of(3, 2), of(3, 1)),
      () => Classification.accuracy([0, 1, 1], [0]),
      () => Classification.confusionMatrix([0, 1, 1], [0], 2),
      () => Classification.rocAuc([0, 1, 1], [0.5]),
      () => Classification.logLoss([0, 1, 1], of(2, 2))
    ]
    for (const formula of wrong) assert.throws(formula, ShapeMismatch)
    assert.throws(wrong[5]!, "accuracy: expected [3], but [1] came; give one prediction for each target")
  })

  it("of answers that are NaN count them as wrong", () => {
    const logits = NdArray.make([4, 1], [1, Number.NaN, -1, 1])
    const came = Metrics.of("binary", NdArray.make([4, 1], [1, 0, 0, 1]), logits) as Metrics.OfClasses
    assert.deepStrictEqual([came.accuracy, came.balancedAccuracy, came.f1], [0.75, 0.75, 1])
    assert.isNaN(came.rocAuc)
    assert.isNaN(came.logLoss)
    assert.deepStrictEqual(came.confusion, [
      [1, 0],
      [0, 2]
    ])
  })

  it("of two classes are of the second, with one logit or with two", () => {
    const found = [0, 1, 1, 1]
    const two = (of: ReadonlyArray<number>) =>
      NdArray.make(
        [4, 2],
        of.flatMap((c) => [1 - c, c])
      )
    const one = NdArray.make(
      [4, 1],
      found.map((c) => 2 * c - 1)
    )
    const ofTwo = Metrics.of("classes", two([0, 0, 1, 1]), two(found)) as Metrics.OfClasses
    const ofOne = Metrics.of("binary", NdArray.make([4, 1], [0, 0, 1, 1]), one) as Metrics.OfClasses
    assert.deepStrictEqual([ofTwo.f1, ofTwo.rocAuc], [0.8, 0.75])
    assert.deepStrictEqual([ofOne.f1, ofOne.rocAuc], [0.8, 0.75])
  })

  it("of what leaves nothing to measure are what scikit-learn says too", () => {
    const same = NdArray.make([3, 1], [2, 2, 2])
    assert.strictEqual(Regression.r2(same, same), 1)
    assert.strictEqual(Regression.r2(same, NdArray.make([3, 1], [2, 2, 3])), 0)
    assert.isNaN(Classification.rocAuc([1, 1], [0.2, 0.3]))
    assert.isNaN(Regression.r2(NdArray.make([1, 1], [2]), NdArray.make([1, 1], [2])))
    assert.isNaN(Classification.rocAuc([0, 1, 1, 0], [Number.NaN, 0.2, 0.9, 0.1]))
    near(Classification.macroF1(Classification.confusionMatrix([0, 0, 1], [0, 1, 1], 3)), fixture.absent, "macro F1")
    const lost = Classification.largest(NdArray.make([2, 2], [1, Number.NaN, 1, 2]))
    assert.deepStrictEqual([...lost], [-1, 1])
    assert.deepStrictEqual([...Classification.largest(NdArray.make([2, 1], [Number.NaN, 1]))], [-1, 1])
    Fixture.near(
      Classification.confusionMatrix([0, 1], lost, 2),
      [
        [0, 0],
        [0, 1]
      ],
      0,
      "of what is lost"
    )
    const certain = [1, 0, 1, 0, 0.25, 0.75]
    const [single, double] = [Float32Array.from(certain), Float64Array.from(certain)]
    near(Classification.logLoss([0, 1, 1], { shape: [3, 2], data: double }), fixture.certain.float64, "certain")
    const loss = Classification.logLoss([0, 1, 1], { shape: [3, 2], data: single })
    assert.approximately(loss, fixture.certain.float32, 1e-6) // scikit-learn adds these up in float32
    Fixture.near(Classification.confusionMatrix([0, 1, 2, 1, 0], [0, 1, 1, -1, 1], 2), fixture.strays, 0, "strays")
  })
})
