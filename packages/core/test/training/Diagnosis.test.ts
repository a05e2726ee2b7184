import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  Dataset,
  Diagnosis,
  Initializer,
  type Measurement,
  Moons,
  NdArray,
  Plan,
  ReferenceEngine,
  TfjsEngine,
  Training
} from "@rai/core"
import { Effect, Stream } from "effect"

const deep = Circuit.perceptron([2, ...Array<number>(40).fill(20), 1], { activation: "sigmoid" })

const kinds = (findings: ReadonlyArray<Diagnosis.Finding>) => findings.map(({ kind }) => kind)

const measurement = (changes: Partial<Measurement.Measurement>): Measurement.Measurement => ({
  freeRunLoss: 0.1,
  residuals: [],
  gradientNorms: [1, 1],
  ...changes
})

describe("why a run fails", () => {
  it.effect("backpropagation from PyTorch's start: gradients vanish, and the output ignores the input", () =>
    Effect.gen(function* () {
      const data = yield* Moons.paper
      const events = yield* Stream.runCollect(
        Training.stream(deep, data, { plan: Plan.backpropagate({ steps: 3 }), seed: 0 })
      )
      const finished = events.at(-1)!
      assert(finished._tag === "Finished")
      const { measurement: last, trained } = finished
      const shown = Diagnosis.ofMeasurements({ last, relaxing: [] })
      const seen = yield* Diagnosis.ofFreeRun(deep, trained.parameters, data)
      assert.deepStrictEqual(kinds(shown), ["gradients vanish"])
      assert.match(shown[0]!.message, /^gradients vanish: at stage \d+ of 41 .*; relax first \(relax:250\), or begin/)
      assert.include(kinds(seen), "output ignores input")
      const begun = { start: "orthogonal" } as const
      const advised = Diagnosis.ofMeasurements({ last, relaxing: [], ...begun })
      assert.match(advised[0]!.message, /; relax first \(relax:250\)$/)
      const inputs = NdArray.make(
        [100, 2],
        Array.from(data.inputs.data, (x, i) => (i % 2 === 0 ? 1e4 * x : x))
      )
      const uneven = yield* Diagnosis.ofFreeRun(deep, trained.parameters, { ...data, inputs }, begun)
      const ignored = uneven.find(({ kind }) => kind === "output ignores input")!
      assert.match(ignored.advice, /^standardise the columns \(--standardise\), or relax .* sweep\)$/)
    }).pipe(Effect.provide(TfjsEngine.layerNative))
  )

  it.effect("units that are zero or at a bound for every example are counted, with their place", () =>
    Effect.gen(function* () {
      const data = yield* Moons.paper
      const changed = (activation: "relu" | "tanh", bias: number) => {
        const circuit = Circuit.perceptron([2, 10, 10, 1], { activation })
        const parameters = { ...Initializer.pytorch(circuit, 0), "0.bias": NdArray.full([10], bias) }
        return Diagnosis.ofFreeRun(circuit, parameters, data)
      }
      const dead = yield* changed("relu", -50)
      assert.include(dead[0]!.message, "dead units: most units of activation 1 (100 %)")
      const saturated = yield* changed("tanh", 50)
      assert.include(saturated[0]!.message, "saturated units: most units of activation 1 (100 %)")
      assert.deepStrictEqual(kinds(yield* changed("tanh", 0)), [])
    }).pipe(Effect.provide(TfjsEngine.layerNative))
  )

  it.effect("whether an output ignores its input is judged by the targets' deviation, wherever their mean is", () =>
    Effect.gen(function* () {
      const x = Float64Array.from({ length: 100 }, (_, i) => i / 50 - 1)
      const circuit = Circuit.linear(1, 1)
      const line = (bias: number, slope: number) => ({
        weight: { shape: [1, 1], data: Float64Array.of(slope) },
        bias: { shape: [1], data: Float64Array.of(bias) }
      })
      for (const [mean, deviation] of [
        [0, 1],
        [-2000, 0.5],
        [101325, 20],
        [0, 1e-9],
        [1, 1e-9]
      ] as const) {
        const targets = { shape: [100, 1], data: x.map((v) => mean + deviation * v) }
        const inputs = { shape: [100, 1], data: x }
        const data = yield* Dataset.make({ inputs, targets, task: "regression", inputNames: ["x"] })
        const found = (slope: number) => Diagnosis.ofFreeRun(circuit, line(mean, slope), data)
        assert.deepStrictEqual(kinds(yield* found(deviation)), [], `${mean}, ${deviation}`)
        const [ignoring] = yield* found(1e-4 * deviation)
        assert.match(ignoring!.message, /^output ignores input: whatever goes in, the output stays within /)
        if (mean === -2000) assert.include(ignoring!.seen, "within 5.0e-5 of -2.00e+3")
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it("what a run has done is not advised again: every map cut, a sweep, a start", () => {
    const last = measurement({ gradientNorms: [1e-12, 1, 1, 1] })
    const relaxing = [measurement({ residuals: [0, 0, 0] })]
    const advised = (done: Diagnosis.Done) => Diagnosis.ofMeasurements({ last, relaxing, ...done })[0]!.advice
    assert.strictEqual(
      advised({}),
      "relax longer, relax with informed auxiliaries (the setting sweep), or begin at --start orthogonal"
    )
    assert.strictEqual(advised({ isSwept: true, start: "orthogonal" }), "relax longer")
    const some = { last, relaxing: [measurement({ residuals: [0, 0] })], start: "orthogonal" } as const
    assert.strictEqual(Diagnosis.ofMeasurements(some)[0]!.advice, "relax more maps (every=1)")
  })

  it("a gap that grows, auxiliaries that drift, data learned by heart", () => {
    const relaxed = (gap: number, residuals: ReadonlyArray<number>) =>
      measurement({ freeRunLoss: gap + 0.01, relaxedLoss: 0.01, relaxationGap: gap, residuals: [...residuals] })
    const relaxing = [
      relaxed(0.7, [1e-6, 1e-6, 1e-6]),
      relaxed(0.05, [1e-6, 1e-6, 1e-6]),
      relaxed(2, [1e-6, 0.5, 1e-6])
    ]
    const shown = Diagnosis.ofMeasurements({ last: measurement({}), relaxing })
    assert.deepStrictEqual(kinds(shown), ["gap grows", "auxiliaries drift"])
    assert.strictEqual(shown[0]!.advice, "raise λ (lambda=10), or refresh (refresh=50)")
    const [raised] = Diagnosis.ofMeasurements({ last: measurement({}), relaxing, λ: 10 })
    assert.strictEqual(raised!.advice, "refresh (refresh=50)")
    const long = Array.from({ length: 300_000 }, (_, i) => relaxing[Math.min(i, 1)]!).concat(relaxing[2]!)
    assert.deepStrictEqual(Diagnosis.ofMeasurements({ last: measurement({}), relaxing: long }), shown)
    const many = relaxing.map((of) => ({ ...of, residuals: Array<number>(40).fill(1e-6) }))
    assert.include(Diagnosis.ofMeasurements({ last: measurement({}), relaxing: many })[0]!.advice, "(every=10)")
    assert.include(shown[1]!.message, "at cut 2 of 3")
    const memorised = measurement({ freeRunLoss: 0.001, validationLoss: 2 })
    assert.deepStrictEqual(kinds(Diagnosis.ofMeasurements({ last: memorised, relaxing: [] })), ["memorised"])
    const [penalised] = Diagnosis.ofMeasurements({ last: memorised, relaxing: [], isRegularised: true })
    assert.strictEqual(penalised!.advice, "add data, or a smaller circuit")
    assert.deepStrictEqual(Diagnosis.ofMeasurements({ last: measurement({}), relaxing: relaxing.slice(0, 2) }), [])
    const [byTest] = Diagnosis.ofMeasurements({ last: measurement({ freeRunLoss: 0.001 }), relaxing: [], testLoss: 2 })
    const shares = measurement({ freeRunLoss: 1e9, validationLoss: 2e9, freeRunShare: 0.001, validationShare: 0.5 })
    const [ofTargets] = Diagnosis.ofMeasurements({ last: shares, relaxing: [] })
    assert.match(ofTargets!.message, /^memorised: the mean share .* left is 0\.00100 on .* and 0\.500 on validation/)
    const shared = (freeRunShare: number) =>
      measurement({ freeRunLoss: 1e9, relaxedLoss: 1e9, relaxationGap: 0, freeRunShare, relaxedShare: 0.01 })
    const [gap] = Diagnosis.ofMeasurements({ last: shared(0.9), relaxing: [0.9, 0.1, 0.9].map(shared) })
    assert.strictEqual(gap!.kind, "gap grows")
    assert.match(byTest!.message, /^memorised: .* 2\.00 on test data; hold a part .*--validation 0\.2/)
  })
})
