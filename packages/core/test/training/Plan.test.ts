import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  Coordinates,
  Cut,
  Dataset,
  Moons,
  type Phase,
  Plan,
  PlanSpec,
  ReferenceEngine,
  Score,
  Start,
  TfjsEngine,
  Training
} from "@rai/core"
import { Effect, Stream } from "effect"

const circuitOf = (maps: number, activation: Circuit.Activation, width = 10) =>
  Circuit.perceptron([2, ...Array<number>(maps - 1).fill(width), 1], { activation })

const starts = Object.keys(Start.table) as ReadonlyArray<Start.Name>

const depths = [1, 2, 5, 101, 1001]

const asked: ReadonlyArray<readonly [string, Plan.Asked]> = [
  ["nothing", {}],
  ...starts.map((start) => [`the start ${start}`, { start }] as const),
  ["batches", { batches: { batch: 8, epochs: 8 } }],
  ["batches for one epoch", { batches: { batch: 8, epochs: 1 } }],
  ["batches and the start pytorch", { start: "pytorch", batches: { batch: 8, epochs: 8 } }]
]

describe("the automatic plan", () => {
  for (const T of depths) {
    for (const [name, given] of asked) {
      it.effect(
        `${T} maps, asked for ${name}: fits the circuit, says each decision, ends with the free run trained`,
        () =>
          Effect.gen(function* () {
            const data = yield* Moons.make({ examples: 20 })
            for (const activation of ["sigmoid", "tanh", "relu"] as const) {
              const circuit = circuitOf(T, activation)
              const plan = Plan.auto(circuit, given)
              yield* Training.check(circuit, data, plan)
              const lines = Plan.describe(plan, circuit, "binary")
              const ending = given.batches === undefined ? 1 : 0
              assert.strictEqual(lines.length, 1 + plan.phases.length + ending)
              assert.include(lines[0]!, T === 1 ? "1 map," : `${T} maps`)
              if (ending > 0) {
                assert.strictEqual(
                  lines.at(-1),
                  "ends once the free run's loss is below 0.02 with every training example right"
                )
                assert.strictEqual(
                  Plan.describe(plan, circuit, "regression").at(-1),
                  "ends once less than 0.001 % of the targets' variance is left"
                )
              }
              assert.include(lines[0]!, plan.start)
              // In batches, PyTorch's start carries nothing far: its hidden maps are swept.
              const swept = given.batches !== undefined && given.start === "pytorch"
              if (given.start !== undefined) assert.strictEqual(plan.start, swept ? "sweep" : given.start)
              assert.strictEqual(plan.coordinates, Coordinates.available(circuit) ? "tanh" : "plain")
              assert.isTrue(plan.phases.every(({ careful }) => careful !== undefined))
              assert.strictEqual(plan.phases.at(-1)!.kind, "backpropagate")
              if (given.batches !== undefined) {
                const epochs = plan.phases.reduce((total, phase) => total + (phase.epochs ?? 0), 0)
                assert.strictEqual(epochs, given.batches.epochs)
                assert.isTrue(plan.phases.every(({ batch }) => batch === given.batches!.batch))
              } else {
                assert.deepStrictEqual(
                  plan.phases.map(({ kind }) => kind),
                  T === 1 ? ["backpropagate"] : ["relax", "backpropagate"]
                )
                assert.isDefined(plan.stop)
              }
              const text = Plan.print(plan)
              assert.strictEqual(Plan.print(yield* PlanSpec.parse(text)), text)
            }
          })
      )
    }
  }

  it("rates never rise with depth, and fall where many maps move at once", () => {
    for (const [name, given] of asked) {
      const last = depths.map((T) => Plan.auto(circuitOf(T, "tanh"), given).phases.at(-1)!.optimizer)
      for (const [i, { rate }] of last.entries()) if (i > 0) assert.isAtMost(rate, last[i - 1]!.rate, name)
      assert.isBelow(last.at(-1)!.rate, last[0]!.rate / 10, name)
    }
  })

  it("deep circuits are cut at most every tenth map, shallow ones more often; informed auxiliaries cut every map", () => {
    for (const T of depths.slice(1)) {
      const circuit = circuitOf(T, "tanh")
      const cutOf = (given: Plan.Asked) => {
        const [phase] = Plan.auto(circuit, given).phases
        return phase?.kind === "relax" ? phase : assert.fail("the first phase relaxes")
      }
      const own = cutOf({})
      assert.isAtLeast(Cut.sites(circuit, own.cut).size, Math.floor((T - 1) / 10) || 1)
      assert.strictEqual(own.auxiliaries, "free run")
      const informed = cutOf({ start: "pytorch" })
      assert.strictEqual(Cut.sites(circuit, informed.cut).size, T - 1)
      assert.strictEqual(informed.auxiliaries, "sweep")
    }
  })

  it("residual circuits are cut where their sums are", () => {
    const circuit = Circuit.perceptron([2, ...Array<number>(30).fill(8), 1], { activation: "tanh", residual: true })
    const [phase] = Plan.auto(circuit).phases
    if (phase!.kind !== "relax") return assert.fail("the first phase relaxes")
    const cuts = Cut.sites(circuit, phase!.cut)
    assert.isNotEmpty(cuts)
    const sums = Cut.sites(circuit, { after: "residual", every: 1, output: false })
    for (const path of cuts) assert.isTrue(sums.has(path), path)
  })

  it("backpropagation alone, to hold it against, has the same start, coordinates, stop and last phase", () => {
    for (const T of depths) {
      for (const [name, given] of asked.filter(([, { batches }]) => batches === undefined)) {
        const circuit = circuitOf(T, "sigmoid")
        const [plan, alone] = [Plan.auto(circuit, given), Plan.autoBackpropagation(circuit, given)]
        assert.deepStrictEqual(
          [alone.start, alone.coordinates, alone.stop],
          [plan.start, plan.coordinates, plan.stop],
          name
        )
        assert.strictEqual(Plan.print(alone), Plan.print(plan).split(",").at(-1))
      }
    }
  })

  for (const [name, maps] of [
    ["one map", 1],
    ["two maps", 2],
    ["five maps", 5]
  ] as const) {
    it.effect(
      `trains ${name} and sees new points right`,
      () =>
        Effect.gen(function* () {
          const fresh = yield* Moons.make({ examples: 300, noise: 0.1, seed: 7 })
          const trained = yield* Training.fit(circuitOf(maps, "sigmoid", 16), yield* Moons.paper, { seed: 1 })
          // One map can only draw a straight line between the moons.
          assert.isAtLeast((yield* Score.score(trained, fresh)).accuracy!, maps === 1 ? 0.8 : 0.97)
        }).pipe(Effect.provide(TfjsEngine.layerNative)),
      30_000
    )
  }
})

describe("circuits of other shapes than a perceptron's", () => {
  const { linear, relu, repeat, residual, sequence, tanh } = Circuit
  /** A linear map without a bias, of a kind of its own. */
  const scaled: Circuit.Circuit = {
    _tag: "Block",
    kind: "scaled",
    settings: { inputs: 6, outputs: 6 },
    parameters: { weight: { shape: [6, 6], role: "weight", fanIn: 6, fanOut: 6 } },
    apply: (z, { weight }) => z.matMul(weight!).mul(0.9)
  }
  const circuits: ReadonlyArray<readonly [string, Circuit.Circuit]> = [
    ["a sum as output", sequence(linear(2, 1), residual(sequence(tanh, linear(1, 1))))],
    [
      "repeats within repeats",
      sequence(linear(2, 6), repeat(sequence(repeat(sequence(tanh, linear(6, 6)), 2), relu), 3), linear(6, 1))
    ],
    ["maps of one's own", sequence(linear(2, 6), tanh, scaled, relu, scaled, tanh, linear(6, 1))],
    [
      "blocks between residual ones",
      sequence(linear(2, 6), residual(sequence(tanh, linear(6, 6))), tanh, linear(6, 5), tanh, linear(5, 1))
    ]
  ]
  for (const [name, circuit] of circuits) {
    for (const [said, given] of [["nothing", {}], ...asked.slice(-3)] as typeof asked) {
      it.effect(`${name}, asked for ${said}: is trained`, () =>
        Effect.gen(function* () {
          const data = yield* Moons.make({ examples: 24, noise: 0.1, seed: 1 })
          const plan = Plan.auto(circuit, given)
          const losses: Array<number> = []
          yield* Stream.runForEach(Stream.take(Training.stream(circuit, data, { plan, seed: 1 }), 60), (event) =>
            Effect.sync(() => {
              if (event._tag === "Step" && event.measurement !== undefined) losses.push(event.measurement.freeRunLoss)
            })
          )
          assert.isBelow(Math.min(...losses), losses[0]!)
        }).pipe(Effect.provide(ReferenceEngine.layer))
      )
    }
  }
})

describe("every start", () => {
  for (const start of starts) {
    it.effect(
      `${start}: a small circuit learns, of sigmoid, tanh and relu, for classes and values, equal widths and not`,
      () =>
        Effect.gen(function* () {
          const moons = yield* Moons.make({ examples: 30, seed: 3 })
          const { inputNames, inputs, targets } = moons
          const values = yield* Dataset.make({ inputs, targets, inputNames, task: "regression" })
          for (const [activation, data, widths] of [
            ["sigmoid", moons, [2, 8, 8, 8, 1]],
            ["tanh", values, [2, 8, 4, 6, 1]],
            ["relu", moons, [2, 8, 6, 6, 1]]
          ] as const) {
            const circuit = Circuit.perceptron(widths, { activation })
            const whole = Plan.auto(circuit, { start })
            // The first steps of each phase show it.
            const phases = whole.phases.map((phase) => ({ ...phase, steps: 20 }) as Phase.Phase)
            const plan = new Plan.Plan({ ...whole, phases })
            const events = yield* Stream.runCollect(Training.stream(circuit, data, { seed: 2, plan }))
            const [first, finished] = [events[0]!, events.at(-1)!]
            if (first._tag !== "Step" || finished._tag !== "Finished") return assert.fail("a start and an end")
            assert.isBelow(finished.measurement.freeRunLoss, first.measurement!.freeRunLoss, activation)
          }
        }).pipe(Effect.provide(TfjsEngine.layerNative)),
      30_000
    )
  }

  it.effect("is a function of the seed alone, and of the data where it looks at them", () =>
    Effect.gen(function* () {
      const circuit = Circuit.perceptron([2, 8, 8, 6, 1], { activation: "tanh" })
      const { inputs } = yield* Moons.make({ examples: 30, seed: 3 })
      const { inputs: others } = yield* Moons.make({ examples: 30, seed: 4 })
      for (const [name, start] of Object.entries(Start.table)) {
        const parameters = yield* start(circuit, 5, inputs)
        assert.deepStrictEqual(yield* start(circuit, 5, inputs), parameters)
        const looks = name === "sweep" || name === "lsuv"
        const onOthers = yield* start(circuit, 5, others)
        if (looks) assert.notDeepEqual(onOthers, parameters)
        else assert.deepStrictEqual(onOthers, parameters)
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})

describe("one plan after the other", () => {
  const relaxing = Plan.relax({ steps: 60 })
  const ending = Plan.backpropagate({ steps: 30 }).pipe(Plan.stoppingAt({ loss: 0.02 }), Plan.startingAt("orthogonal"))

  it("takes what the first says, and of the next what the first leaves open", () => {
    const both = relaxing.pipe(Plan.inCoordinates("tanh"), Plan.startingAt("mirrored"), Plan.andThen(ending))
    assert.strictEqual(Plan.print(both), "relax:60:rprop=0.1,backpropagate:30:rprop=0.001")
    assert.deepStrictEqual([both.start, both.coordinates, both.stop], ["mirrored", "tanh", { loss: 0.02 }])
    assert.deepStrictEqual([relaxing.start, relaxing.coordinates, relaxing.stop], ["pytorch", "plain", undefined])
  })

  it("has the same result subject first and piped", () => {
    assert.deepStrictEqual(Plan.andThen(relaxing, ending), relaxing.pipe(Plan.andThen(ending)))
    assert.deepStrictEqual(Plan.startingAt(relaxing, "he"), relaxing.pipe(Plan.startingAt("he")))
    assert.deepStrictEqual(Plan.stoppingAt(relaxing, { loss: 1 }), relaxing.pipe(Plan.stoppingAt({ loss: 1 })))
    assert.deepStrictEqual(Plan.inCoordinates(relaxing, "tanh"), relaxing.pipe(Plan.inCoordinates("tanh")))
  })
})
