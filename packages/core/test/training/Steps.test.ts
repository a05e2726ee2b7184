import { assert, describe, it } from "@effect/vitest"
import {
  Adam,
  Blobs,
  Circuit,
  Curve,
  Cut,
  Dataset,
  Engine,
  Evaluation,
  Gradient,
  Initializer,
  Moons,
  NdArray,
  type Optimizer,
  Phase,
  type PhaseRun,
  Plan,
  PlanSpec,
  Program,
  ReferenceEngine,
  RmsProp,
  Rprop,
  Segments,
  Sgd,
  type Tensor,
  Training
} from "@rai/core"
import { Cause, Effect, Stream } from "effect"
import * as Fixture from "../fixtures/Fixture.ts"

const { batchNorm, dropout, flatten, linear, repeat, sequence, tanh, unflatten } = Circuit

interface Row {
  readonly settings: { readonly units: number }
  readonly x: NdArray.NdArray
  readonly statistics: Readonly<Record<"mean" | "variance", NdArray.NdArray>>
}

/** Written by blocks.py: PyTorch in float64. */
const { training } = Fixture.read<{ readonly training: ReadonlyArray<Row> }>("blocks.json")

describe("running statistics", () => {
  for (const { settings, statistics, x } of training) {
    it.effect(`after one step on [${x.shape}] are PyTorch's`, () =>
      Effect.gen(function* () {
        const { units } = settings
        const [examples, , height = 1, width = 1] = x.shape as readonly [number, number, number?, number?]
        const values = NdArray.size(x.shape) / examples
        const circuit = sequence(unflatten({ channels: units, height, width }), batchNorm(units), flatten)
        const data = yield* Dataset.make({
          inputs: { shape: [examples, values], data: Float64Array.from(x.data) },
          targets: NdArray.full([examples, values], 0),
          inputNames: Array.from({ length: values }, (_, i) => `x${i}`),
          task: "regression"
        })
        const plan = Plan.backpropagate({ steps: 1 })
        const { parameters } = yield* Training.fit(circuit, data, { plan, seed: 1 })
        for (const name of ["mean", "variance"] as const)
          Fixture.near(
            parameters[`1.${name}`]!,
            { ...statistics[name], data: Float64Array.from(statistics[name].data) },
            1e-6,
            name
          )
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }

  const block = sequence(batchNorm(3), tanh, linear(3, 3), dropout(0.4), batchNorm(3))
  const circuit = sequence(linear(2, 3), repeat(block, 7), linear(3, 1))
  const turnwise = (path: string) => Number(path.split(".")[1]) % 2 === 1
  const cuts: Readonly<Record<string, Cut.Cut["after"]>> = {
    "every map": "linear",
    "every dropout": "dropout",
    "behind the last norm of each": ({ path }) => /^1\.\d\.4$/.test(path),
    "two places of each": ({ kind }) => kind === "tanh" || kind === "dropout",
    "every second turn": ({ kind, path }) => kind === "linear" && path.startsWith("1.") && turnwise(path)
  }
  for (const [name, after] of Object.entries(cuts)) {
    it.effect(`of repeated blocks that are computed together are those of one turn after the other: ${name} cut`, () =>
      Effect.gen(function* () {
        const sites = Cut.sites(circuit, { ...Cut.paper, after })
        const places = Segments.places(circuit, sites)
        assert.isTrue(places.some(({ stacked }) => stacked))
        const placeOf = (site: string) => places.find((place) => place.sites.includes(site))!
        const number = (i: number) => Math.sin(i * 12.9898 + 1) * 1.3
        const array = (shape: ReadonlyArray<number>, from: number) =>
          NdArray.make(
            shape,
            Array.from({ length: NdArray.size(shape) }, (_, i) => number(from + i))
          )
        const z = Object.fromEntries(
          places.map(({ name, sites, stacked }, i) => [
            `z/${name}`,
            array(stacked ? [sites.length, 4, 3] : [4, 3], 100 * i)
          ])
        )
        const given: Engine.Arrays = {
          ...Object.fromEntries(
            Object.entries(Circuit.parameters(circuit)).map(([name, { shape }], i) => [name, array(shape, 1000 * i)])
          ),
          "1.*.3.uniform": { shape: [7, 4, 3], data: array([7, 4, 3], 77).data.map(Math.abs) },
          ...z,
          x: array([4, 2], 5)
        }
        const shapes = Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape]))
        const statistics = Object.entries(Circuit.parameters(circuit)).flatMap(([name, { role }]) =>
          role === "statistic" ? [name] : []
        )
        const slopes = (isStacked: boolean) =>
          Effect.gen(function* () {
            const program = yield* Program.make(shapes, (of) => {
              const predictions: Array<Tensor.Tensor> = []
              const distances: Array<Tensor.Tensor> = []
              const auxiliary = (place: string) => of[`z/${place}`]!
              const handler: Cut.Handler = {
                sites,
                ...(isStacked ? { auxiliary } : {}),
                training: { random: true, onStatistic: (_, __, distance) => distances.push(distance) },
                onCut: (site, ẑ) => {
                  const {
                    name,
                    sites: own,
                    stacked
                  } = isStacked ? { name: site, sites: [], stacked: false } : placeOf(site)
                  const here = stacked ? auxiliary(name).at(0, own.indexOf(site)) : auxiliary(name)
                  predictions.push(here.sub(ẑ).square().total())
                  return here
                }
              }
              const output = Evaluation.evaluate(circuit, (name) => of[name]!, of.x!, handler)
              const sum = (all: ReadonlyArray<Tensor.Tensor>) => all.reduce((a, b) => a.add(b))
              return { output, energy: sum(predictions), distance: sum(distances) }
            })
            const derived = yield* Gradient.make({ of: "distance", inputs: statistics })(program)
            return yield* Engine.run(derived, given)
          })
        const [together, apart] = [yield* slopes(true), yield* slopes(false)]
        for (const [name, expected] of Object.entries(apart)) Fixture.near(together[name]!, expected, 1e-10, name)
        assert.isTrue(statistics.every((name) => apart[`gradient/${name}`]!.data.every((slope) => slope !== 0)))
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})

describe("a rule of one's own", () => {
  const circuit = sequence(linear(2, 3), tanh, linear(3, 1))
  const step = (rule: Optimizer.Optimizer) =>
    Effect.gen(function* () {
      const plan = Plan.make(Phase.backpropagate({ steps: 1, optimizer: rule }))
      return yield* Training.fit(circuit, yield* Moons.make({ examples: 10 }), { plan, seed: 1 })
    })
  /** Moves each array by the rate in all, which an array of all parameters would not be. */
  const normalised = {
    name: "normalised",
    rate: 0.1,
    settings: {},
    initial: (shape: ReadonlyArray<number>) => ({ v: NdArray.full(shape, 0) }),
    update: (p: Tensor.Tensor, g: Tensor.Tensor, { v }: Optimizer.Slots, rate: Tensor.Tensor) => ({
      parameter: p.sub(g.div(g.square().total().sqrt()).mul(rate)),
      slots: { v: v! }
    })
  }

  it.effect("sees each array by itself", () =>
    Effect.gen(function* () {
      const start = Initializer.pytorch(circuit, 1)
      const { parameters } = yield* step(normalised)
      for (const [name, { data }] of Object.entries(parameters)) {
        const moved = Math.hypot(...Array.from(data, (p, i) => p - start[name]!.data[i]!))
        assert.approximately(moved, 0.1, 1e-6, name)
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("sees each array by itself where it is made of an elementwise one", () =>
    Effect.gen(function* () {
      const sgd = Sgd.make(0.1)
      const size = ({ shape }: Tensor.Tensor) => NdArray.size(shape as ReadonlyArray<number>)
      const rules: ReadonlyArray<Optimizer.Optimizer> = [
        { ...normalised, elementwise: true },
        { ...sgd, update: (p, g, slots, η) => sgd.update(p, g.sub(g.mean()), slots, η) },
        { ...sgd, update: (p, g, slots, η) => sgd.update(p, g, slots, η.div(size(p))) },
        { ...sgd, initial: (shape) => ({ velocity: NdArray.full(shape, NdArray.size(shape)) }) },
        // And one that may be moved together with others, as it says.
        { ...sgd, update: (p, g, slots, η) => sgd.update(p, g.clip(-0.01, 0.01), slots, η) }
      ]
      for (const rule of rules) {
        const [came, alone] = [yield* step(rule), yield* step({ ...rule, elementwise: false })]
        assert.deepStrictEqual(came.parameters, alone.parameters)
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("gives back what it was given", () =>
    Effect.gen(function* () {
      const update = normalised.update
      const renamed: Optimizer.Optimizer = {
        ...normalised,
        update: (...given) => ({ ...update(...given), slots: { w: given[2].v! } })
      }
      const total: Optimizer.Optimizer = {
        ...normalised,
        update: (...given) => ({ ...update(...given), parameter: given[0].total() })
      }
      const advice =
        "came; return the parameter and each slot under its name, in the shape that it has, as real numbers"
      const messages = [
        `the rule normalised: expected parameter [2,3], v [2,3], but parameter [2,3], w [2,3] ${advice}`,
        `the rule normalised: expected parameter [2,3], v [2,3], but parameter [], v [2,3] ${advice}`,
        `the rule normalised: expected parameter [2,3], v [2,3], but parameter [2,3], v [2,3] of truth values ${advice}`,
        `the rule normalised: expected parameter [2,3], v [2,3], but parameter [2,3], v [] ${advice}`
      ]
      const compared: Optimizer.Optimizer = {
        ...normalised,
        update: (...given) => ({ ...update(...given), slots: { v: given[1].greater(0) } })
      }
      const averaged: Optimizer.Optimizer = {
        ...normalised,
        update: (...given) => ({ ...update(...given), slots: { v: given[1].mean() } })
      }
      for (const [i, rule] of [renamed, total, compared, averaged].entries()) {
        assert.strictEqual((yield* Effect.flip(step(rule))).message, messages[i])
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  /** Adam with its first moment called otherwise. */
  const called = (slot: string): Optimizer.Optimizer => {
    const adam = Adam.make(0.1)
    return {
      ...adam,
      initial: (...given) => {
        const { m, ...others } = adam.initial(...given)
        return { [slot]: m!, ...others }
      },
      update: (p, g, { [slot]: m, ...others }, rate) => {
        const next = adam.update(p, g, { ...others, m: m! }, rate)
        const { m: moved, ...rest } = next.slots
        return { ...next, slots: { [slot]: moved!, ...rest } }
      }
    }
  }
  const trainings = [
    Plan.backpropagate({ steps: 9, interval: 1, optimizer: Adam.make(0.1), careful: Phase.careful(1) }),
    Plan.relax({ epochs: 3, batch: 4, optimizer: Adam.make(0.1), multipliers: 0.1, careful: Phase.careful(1) })
  ]
  const trained = (of: Plan.Plan, optimizer: Optimizer.Optimizer) =>
    Effect.gen(function* () {
      const plan = Plan.make(...of.phases.map((phase): Phase.Phase => ({ ...phase, optimizer })))
      const { parameters } = yield* Training.fit(circuit, yield* Moons.make({ examples: 10 }), { plan, seed: 1 })
      return parameters
    })

  for (const slot of ["square", "rate", "together", "validation", "x"]) {
    it.effect(`may call a slot ${slot}`, () =>
      Effect.gen(function* () {
        for (const plan of trainings) {
          assert.deepStrictEqual(yield* trained(plan, called(slot)), yield* trained(plan, Adam.make(0.1)))
        }
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }

  it.effect("calls no slot as the state calls arrays of its own", () =>
    Effect.gen(function* () {
      for (const slot of ["good", "z", "u", "noise", "lost", "gradient", "m/z"]) {
        for (const plan of trainings) {
          assert.strictEqual(
            (yield* Effect.flip(trained(plan, called(slot)))).message,
            `the rule adam: expected slots called otherwise than z, u, noise, good, lost, gradient, and without a /, but ${slot} came; give the slot another name`
          )
        }
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("keeps a number for each of the array's, or a single one", () =>
    Effect.gen(function* () {
      const keeping = (of: (shape: ReadonlyArray<number>) => ReadonlyArray<number>): Optimizer.Optimizer => ({
        ...normalised,
        initial: (shape) => ({ v: NdArray.full(of(shape), 0) })
      })
      yield* step(keeping(() => []))
      for (const [of, came] of [
        [(shape: ReadonlyArray<number>) => shape.slice(0, 1), "[2]"],
        [() => [1], "[1]"],
        [(shape: ReadonlyArray<number>) => shape.toReversed(), "[3,2]"]
      ] as const) {
        assert.strictEqual(
          (yield* Effect.flip(step(keeping(of)))).message,
          `the rule normalised: expected slots of the array's shape [2,3], or [], but v ${came} came; keep one number for each of the array's, or a single one`
        )
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("and RMSprop trains maps that are too large to be moved together with others", () =>
    Effect.gen(function* () {
      const wide = sequence(linear(2, 200), tanh, linear(200, 200), tanh, linear(200, 1))
      const plan = Plan.backpropagate({ steps: 2, optimizer: RmsProp.make(0.001) })
      const data = yield* Moons.make({ examples: 10 })
      const { measurement } = yield* Training.run(wide, data, { plan, seed: 1 })
      assert.isTrue(measurement.gradientNorms.every((norm) => norm > 0))
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})

describe("the output map", () => {
  const run = (circuit: Circuit.Circuit, text: string) =>
    Effect.gen(function* () {
      const [plan, data] = [yield* PlanSpec.parse(text), yield* Blobs.make({ examples: 12, centers: 2, seed: 1 })]
      const targets = NdArray.make(
        [12, 2],
        Array.from(data.targets.data).flatMap((y) => [y, 1 - y])
      )
      const two = { ...data, targets, task: "classes" as const, classNames: ["a", "b"] }
      const { measurement, trained } = yield* Training.run(circuit, two, { plan, seed: 1 })
      const start = Initializer.pytorch(circuit, 1)
      const moved = Object.keys(start).filter((name) =>
        start[name]!.data.some((value, i) => value !== trained.parameters[name]!.data[i])
      )
      return { moved, loss: measurement.freeRunLoss }
    })

  it.effect("is found in a circuit that is one map, as where it is the only stage", () =>
    Effect.gen(function* () {
      const bare = linear(2, 2)
      for (const text of ["backpropagate:9:muon=0.1", "backpropagate:9:only=output"]) {
        assert.strictEqual((yield* run(bare, text)).loss, (yield* run(sequence(bare), text)).loss, text)
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("is one of each arm where a circuit ends in a branch", () =>
    Effect.gen(function* () {
      const arms = Circuit.branch(linear(3, 1), sequence(linear(3, 3), tanh, linear(3, 1)), tanh)
      const circuit = sequence(linear(2, 3), arms, Circuit.columns({ inputs: 5, first: 0, count: 2 }))
      const { moved } = yield* run(circuit, "backpropagate:2:only=output")
      assert.deepStrictEqual(moved, ["1.0.weight", "1.0.bias", "1.1.2.weight", "1.1.2.bias"])
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})

describe("what a formula of one's own throws names its place", () => {
  const thrown: Array<TypeError> = []
  const throwing = (): never => {
    const error = new TypeError("not a function")
    thrown.push(error)
    throw error
  }
  const circuit = sequence(linear(2, 3), tanh, linear(3, 1))
  const sgd = Sgd.make(0.1)
  // Throws at no tenth of the phase, where curves are looked at before anything runs.
  const late = { name: "own", at: (t: number) => (10 * t === Math.round(10 * t) ? 1 : throwing()) }
  const runs: ReadonlyArray<readonly [string, Circuit.Circuit, Plan.Plan]> = [
    ["block 1", sequence(linear(2, 3), Circuit.stage("own", throwing), linear(3, 1)), Plan.relax({ steps: 1 })],
    ["the loss", circuit, Plan.backpropagate({ steps: 1, loss: throwing })],
    ["the loss", circuit, Plan.alternate({ epochs: 1, batch: 5, loss: throwing })],
    ["the hidden loss own", circuit, Plan.relax({ steps: 1, hidden: { name: "own", of: throwing } })],
    ["the rule own", circuit, Plan.relax({ steps: 1, optimizer: { ...sgd, name: "own", update: throwing } })],
    ["the rule own", circuit, Plan.relax({ steps: 1, optimizer: { ...sgd, name: "own", initial: throwing } })],
    ["the weight of cut 0", circuit, Plan.relax({ steps: 1, weight: throwing })],
    ["the curve own", circuit, Plan.relax({ steps: 1, ramp: { name: "own", at: throwing } })],
    ["the curve own", circuit, Plan.relax({ steps: 9, optimizer: sgd, curve: late })],
    ["«after» of 0", circuit, Plan.relax({ steps: 1, cut: { ...Cut.paper, after: throwing } })],
    ["«only» of 0.weight", circuit, Plan.backpropagate({ steps: 1, only: throwing })]
  ]
  for (const [where, of, plan] of runs) {
    it.effect(`${where}: ${Plan.print(plan)}`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Training.fit(of, yield* Moons.make({ examples: 10 }), { plan, seed: 1 }))
        const defect = exit._tag === "Failure" ? Cause.squash(exit.cause) : undefined
        if (!(defect instanceof Error)) return assert.fail(String(defect))
        assert.strictEqual(defect, thrown.at(-1), "the very error, for those who know it")
        assert.strictEqual(String(defect), `TypeError: not a function (in ${where})`)
        assert.match(defect.stack!, /^TypeError: not a function \(in .*\)\n {4}at .*throwing/)
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})

it.effect("an error without words of its own says where it was thrown, and its stack begins so", () =>
  Effect.gen(function* () {
    const error = new Error()
    const circuit = Circuit.stage("own", () => {
      throw error
    })
    yield* Effect.exit(Program.make({ z: [1, 2] }, ({ z }) => ({ y: Evaluation.evaluate(circuit, () => z!, z!) })))
    assert.match(error.stack!, /^Error: \(in the block\)\n {4}at /)
  })
)

describe("widths that do not fit in a formula of one's own name its place", () => {
  const unfit = (z: Tensor.Tensor): Tensor.Tensor => z.matMul(z)
  const circuit = sequence(linear(2, 3), tanh, linear(3, 1))
  const runs: ReadonlyArray<readonly [string, Circuit.Circuit, Plan.Plan]> = [
    ["block 1", sequence(linear(2, 3), Circuit.stage("own", unfit), linear(3, 1)), Plan.relax({ steps: 1 })],
    ["the loss", circuit, Plan.relax({ steps: 1, loss: unfit })],
    ["the hidden loss own", circuit, Plan.relax({ steps: 1, hidden: { name: "own", of: unfit } })],
    [
      "the rule own",
      circuit,
      Plan.backpropagate({
        steps: 1,
        optimizer: { ...Sgd.make(0.1), name: "own", update: (p, _, slots) => ({ parameter: unfit(p), slots }) }
      })
    ]
  ]
  for (const [where, of, plan] of runs) {
    it.effect(`${where}: ${Plan.print(plan)}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Training.fit(of, yield* Moons.make({ examples: 10 }), { plan, seed: 1 }))
        assert.match(error.message, new RegExp(`^matMul in ${where}: expected `))
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})

it.effect("a hidden loss of one's own gives an energy for each unit or example", () =>
  Effect.gen(function* () {
    const circuit = sequence(linear(2, 3), tanh, linear(3, 1))
    const hidden = { name: "own", of: (z: Tensor.Tensor, ẑ: Tensor.Tensor) => z.sub(ẑ).square().mean() }
    const plan = Plan.relax({ steps: 1, hidden })
    const error = yield* Effect.flip(Training.fit(circuit, yield* Moons.make({ examples: 10 }), { plan, seed: 1 }))
    assert.strictEqual(
      error.message,
      "the hidden loss own: expected [10,3] or [10,1], but [] came; leave the mean to the objective: give the energy of each unit, or of each example"
    )
  }).pipe(Effect.provide(ReferenceEngine.layer))
)

describe("what no step can follow is told before one is taken", () => {
  const circuit = sequence(linear(2, 3), batchNorm(3), tanh, linear(3, 1))
  const wrong: ReadonlyArray<readonly [string, Phase.Phase, string]> = [
    [
      "a batch of one example for a batch norm",
      Phase.backpropagate({ epochs: 1, batch: 1 }),
      "batch-norm in block 1: expected more than one number of each unit, but [1,3] came; take batches of two examples or more"
    ],
    [
      "a cut between places",
      Phase.relax({ steps: 1, cut: { ...Cut.paper, every: 1.5 } }),
      "expected every of relax to be a whole number from 1, but 1.5 came; change it in the plan, or leave it out"
    ],
    [
      "a cut after blocks that there are not",
      Phase.relax({ steps: 1, cut: { ...Cut.paper, after: "tahn" } }),
      "expected a cut that matches some of the circuit's places, linear and batch-norm and tanh, in relax:1:rprop=0.1:after=tahn, but it matches none; cut after every map (after=linear), or backpropagate"
    ],
    [
      "measurements that never come",
      Phase.backpropagate({ steps: 1, interval: 0 }),
      "expected interval of backpropagate to be a whole number from 1, but 0 came; change it in the plan, or leave it out"
    ],
    [
      "half a step",
      Phase.alternate({ steps: 2.5 }),
      "expected steps of alternate to be a whole number from 1, but 2.5 came; change it in the plan, or leave it out"
    ],
    [
      "a rate that is none",
      Phase.backpropagate({ steps: 1, optimizer: Adam.make(Number.NaN) }),
      "expected the rate of adam of backpropagate to be a number above 0, but NaN came; change it in the plan, or leave it out"
    ],
    [
      "a running mean that is none",
      Phase.relax({ steps: 1, auxiliaryOptimizer: Adam.make(0.1, { beta1: 2 }) }),
      "expected beta1 of adam of relax to be a number from 0, below 1, but 2 came; change it in the plan, or leave it out"
    ],
    [
      "a momentum below 0",
      Phase.backpropagate({ steps: 1, optimizer: Sgd.make(0.1, { momentum: -1 }) }),
      "expected momentum of sgd of backpropagate to be a number from 0, but -1 came; change it in the plan, or leave it out"
    ],
    [
      "a curve that begins nowhere",
      Phase.backpropagate({ steps: 1, optimizer: Adam.make(0.1), curve: Curve.warmUp(0) }),
      "expected warmup0 at 0 of backpropagate to be a number from 0, but NaN came; change it in the plan, or leave it out"
    ],
    [
      "a curve that leads to 0 by a ratio",
      Phase.backpropagate({ steps: 1, optimizer: Adam.make(0.1), curve: Curve.exponential(0) }),
      "expected exponential0 at 0 of backpropagate to be a number from 0, but NaN came; change it in the plan, or leave it out"
    ],
    [
      "Nesterov's momentum by half",
      Phase.backpropagate({ steps: 1, optimizer: Sgd.make(0.1, { nesterov: 0.5 }) }),
      "expected nesterov of sgd of backpropagate to be 0 or 1, but 0.5 came; change it in the plan, or leave it out"
    ],
    [
      "steps that are larger than the largest",
      Phase.backpropagate({ steps: 1, optimizer: Rprop.make(0.1, { smallest: 1, largest: 0.5 }) }),
      "expected largest of rprop of backpropagate to be a number from the smallest, 1, but 0.5 came; change it in the plan, or leave it out"
    ],
    [
      "a smallest step above the largest by default",
      Phase.relax({ steps: 1, auxiliaryOptimizer: Rprop.make(0.1, { smallest: 60 }) }),
      "expected smallest of rprop of relax to be a number from 0 to the largest, 50, but 60 came; change it in the plan, or leave it out"
    ],
    [
      "a largest step below the smallest by default",
      Phase.relax({ steps: 1, optimizer: Rprop.make(0.1, { largest: 1e-7 }) }),
      "expected largest of rprop of relax to be a number from the smallest, 0.000001, but 1e-7 came; change it in the plan, or leave it out"
    ],
    [
      "a ramp below 0",
      Phase.relax({ steps: 1, ramp: { name: "falling", at: (t) => -t } }),
      "expected falling at 0.1 of relax to be a number from 0, but -0.1 came; change it in the plan, or leave it out"
    ],
    [
      "rates that going back would raise",
      Phase.relax({ steps: 1, careful: { patience: 3, divisor: 0, attempts: 1 } }),
      "expected divisor of relax to be a number from 1, but 0 came; change it in the plan, or leave it out"
    ],
    [
      "a weight below 0",
      Phase.relax({ steps: 1, λ: -1 }),
      "expected λ of relax to be a number from 0, but -1 came; change it in the plan, or leave it out"
    ],
    [
      "a cut that counts for less than nothing",
      Phase.relax({ steps: 1, cut: { ...Cut.paper, after: "activation" }, weight: (_, index) => -index }),
      "expected weight of relax to be a number from 0 for each cut, but -1 came for 2; change it in the plan, or leave it out"
    ],
    [
      "a cut that counts for no number",
      Phase.relax({ steps: 1, weight: () => Number.NaN }),
      "expected weight of relax to be a number from 0 for each cut, but NaN came for 0; change it in the plan, or leave it out"
    ],
    [
      "parameters to train that there are not",
      Phase.backpropagate({ steps: 1, only: (name) => name.startsWith("7.") }),
      "expected parameters that backpropagate:1:rprop=0.001:only=predicate trains, but «only» takes none; name some of 0.weight, 0.bias, 1.weight, …, or leave it out"
    ]
  ]
  for (const [name, phase, message] of wrong) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Training.check(circuit, yield* Moons.make({ examples: 10 }), Plan.make(phase)))
        assert.strictEqual(error.message, message)
      })
    )
  }

  const blocks: ReadonlyArray<readonly [Circuit.Circuit, string]> = [
    [
      sequence(linear(2, 4), sequence(tanh, linear(4, 0))),
      'linear in block 1.1: expected whole numbers of inputs, outputs from 1, but inputs 4, outputs 0 came; write for instance {"inputs":2,"outputs":8}, or call a stage of your own something else'
    ],
    [
      sequence(linear(2, -3), linear(-3, 1)),
      'linear in block 0: expected whole numbers of inputs, outputs from 1, but inputs 2, outputs -3 came; write for instance {"inputs":2,"outputs":8}, or call a stage of your own something else'
    ],
    [
      sequence(Circuit.unflatten({ channels: 1, length: 2 }), Circuit.conv1d({ channels: 1, filters: 1, kernel: 0 })),
      'conv1d in block 1: expected whole numbers of channels, filters, kernel, stride, padding from 1 (padding from 0), but channels 1, filters 1, kernel 0, stride 1, padding 0 came; write for instance {"channels":1,"filters":6,"kernel":3,"stride":1,"padding":1}, or call a stage of your own something else'
    ],
    [
      Circuit.sequence(Circuit.columns({ inputs: 2, first: 0, count: 1 })),
      "expected a circuit with parameters to train, but it has none; add a linear map, as Circuit.perceptron([2, 8, 1]) has them"
    ]
  ]
  for (const [wrong, message] of blocks) {
    it.effect(message.slice(0, message.indexOf(",")), () =>
      Effect.gen(function* () {
        const plan = Plan.backpropagate({ steps: 1 })
        const error = yield* Effect.flip(Training.check(wrong, yield* Moons.make({ examples: 10 }), plan))
        assert.strictEqual(error.message, message)
      })
    )
  }

  it.effect("an output map that cannot move alone, being one array with the turns before it", () =>
    Effect.gen(function* () {
      const data = yield* Blobs.make({ examples: 9, centers: 3 })
      const plan = Plan.backpropagate({ steps: 1, only: "output" })
      const ending = (times: number) =>
        Training.check(sequence(linear(2, 3), repeat(sequence(tanh, linear(3, 3)), times)), data, plan)
      yield* ending(1)
      assert.strictEqual(
        (yield* Effect.flip(ending(3))).message,
        "expected an output map of its own, which alone backpropagate:1:rprop=0.001:only=output trains, but «1.*.1» is one array for 3 turns; repeat the block once less, and write the last turn behind it"
      )
    })
  )

  it.effect("a cut that matches nothing, with advice that can be followed", () =>
    Effect.gen(function* () {
      const data = yield* Moons.make({ examples: 10 })
      const maps = sequence(linear(2, 3), linear(3, 1))
      for (const [of, text, advice] of [
        [circuit, "alternate:1:every=40", "cut more often (every=1), or backpropagate"],
        [circuit, "relax:1:every=40", "cut more often (every=1), or backpropagate"],
        [maps, "relax:1:every=2", "cut more often (every=1), cut the output too (output), or backpropagate"],
        [maps, "alternate:1:every=2", "cut more often (every=1), or backpropagate"],
        [maps, "relax:1:after=activation:output", "cut after every map (after=linear), or backpropagate"],
        [sequence(linear(2, 1)), "relax:1", "cut the output too (output), or backpropagate"],
        [sequence(linear(2, 1)), "alternate:1", "backpropagate"]
      ] as const) {
        const error = yield* Effect.flip(Training.check(of, data, yield* PlanSpec.parse(text)))
        assert.isTrue(error.message.endsWith(`but it matches none; ${advice}`), `${text}: ${error.message}`)
      }
    })
  )

  it.effect("a mean over an axis of a length that is not known yet", () =>
    Effect.gen(function* () {
      const data = yield* Moons.make({ examples: 10 })
      const own = (f: (z: Tensor.Tensor) => Tensor.Tensor) =>
        Training.check(sequence(linear(2, 3), Circuit.stage("own", f), linear(3, 1)), data, Plan.relax({ steps: 1 }))
      assert.strictEqual(
        (yield* Effect.flip(own((z) => z.sub(z.mean())))).message,
        "mean in block 1: expected known dimensions, but [batch,3] came; a named axis has no length yet: count it, as in z.total().div(z.zerosLike().add(1).total())"
      )
      yield* own((z) => z.sub(z.total().div(z.zerosLike().add(1).total())))
    })
  )

  it.effect("a stop that no run can reach", () =>
    Effect.gen(function* () {
      const data = yield* Moons.make({ examples: 10 })
      for (const accuracy of [2, Number.NaN]) {
        const plan = Plan.relax({ steps: 1 }).pipe(Plan.stoppingAt({ loss: 10, accuracy }))
        assert.strictEqual(
          (yield* Effect.flip(Training.check(circuit, data, plan))).message,
          `expected a stop at an accuracy of 1 at most, but ${accuracy} came; give for instance 0.99, or leave it out`
        )
      }
    })
  )

  it.effect("validation data without an example", () =>
    Effect.gen(function* () {
      const data = yield* Moons.make({ examples: 10 })
      const validation = { ...data, inputs: NdArray.make([0, 2], []), targets: NdArray.make([0, 1], []) }
      const error = yield* Effect.flip(Training.check(circuit, data, Plan.relax({ steps: 1 }), validation))
      assert.strictEqual(error.message, "validation data: expected at least one example, but none came; add rows")
    })
  )

  it.effect("validation data of another kind", () =>
    Effect.gen(function* () {
      const data = yield* Moons.make({ examples: 10 })
      const validation = { ...data, task: "regression" as const }
      const error = yield* Effect.flip(Training.fit(circuit, data, { validation, seed: 1 }))
      assert.strictEqual(
        error.message,
        "expected validation data as the training data, binary with 2 inputs and 1 output, but regression with 2 inputs and 1 output came; read them with the columns and classes of the training data"
      )
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("and a loss that is no number", () =>
    Effect.gen(function* () {
      const plan = Plan.backpropagate({ steps: 1, loss: (o, y) => o.sub(y).square() })
      const error = yield* Effect.flip(Training.fit(circuit, yield* Moons.make({ examples: 10 }), { plan, seed: 1 }))
      assert.strictEqual(error.message, "the loss: expected [], but [10,1] came; end it in .mean() or .total()")
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})

describe("auxiliaries kept per example", () => {
  const moved = (batch: number, epochs: number) =>
    Effect.gen(function* () {
      const circuit = Circuit.perceptron([2, 6, 6, 6, 1], { activation: "tanh" })
      const data = yield* Moons.make({ examples: 48, noise: 0.1, seed: 1 })
      const plan = yield* PlanSpec.parse(`relax:9:sgd=0.000001:z-adam=0.001:lambda=0:batch=${batch}`)
      const left: Array<Engine.Arrays> = []
      const onSnapshot = ({ state }: PhaseRun.Snapshot) => Effect.sync(() => void left.push(state))
      yield* Training.stream(circuit, data, { plan, seed: 0, onSnapshot }).pipe(
        Stream.takeUntil(({ progress }) => progress.total >= (epochs * 48) / batch),
        Stream.runDrain
      )
      return left.at(-1)!
    })

  it.effect("are moved by Adam as often as their own examples came, whatever the batch: z is that of whole data", () =>
    Effect.gen(function* () {
      for (const epochs of [1, 4]) {
        const whole = yield* moved(48, epochs)
        const names = Object.keys(whole).filter((name) => name.startsWith("z/"))
        assert.isAbove(names.length, 0)
        for (const batch of [12, 4]) {
          const parts = yield* moved(batch, epochs)
          // A thousandth of one step: parameters move by a millionth of their gradients meanwhile.
          for (const name of names) Fixture.near(parts[name]!, whole[name]!, 1e-6, name)
        }
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})

describe("dropout", () => {
  const circuit = sequence(linear(2, 50), dropout(0.3), linear(50, 1))

  it.effect("draws other numbers in every step, and the same from the same seed", () =>
    Effect.gen(function* () {
      const data = yield* Moons.make({ examples: 40, noise: 0.1, seed: 1 })
      const plan = Plan.make(Phase.backpropagate({ epochs: 3, batch: 20 }))
      const [one, again, other] = yield* Effect.forEach([1, 1, 2], (seed) =>
        Training.fit(circuit, data, { plan, seed })
      )
      assert.deepStrictEqual(one!.parameters, again!.parameters)
      assert.notDeepEqual(one!.parameters, other!.parameters)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("leaves out the share that it says, and keeps the mean", () =>
    Effect.gen(function* () {
      const x = NdArray.full([200, 50], 2)
      const uniform = NdArray.make(
        x.shape,
        Array.from({ length: 10_000 }, (_, i) => (i * 0.6180339887) % 1)
      )
      const program = yield* Program.make({ x: x.shape, uniform: x.shape }, (of) => ({
        trained: Evaluation.evaluate(dropout(0.3), () => of.uniform!, of.x!, {
          ...Cut.none,
          training: { random: true, onStatistic: () => undefined }
        }),
        free: Evaluation.evaluate(dropout(0.3), () => of.uniform!, of.x!)
      }))
      const { free, trained } = yield* Engine.run(program, { x, uniform })
      const zeros = trained!.data.filter((value) => value === 0).length
      assert.approximately(zeros / 10_000, 0.3, 0.01)
      assert.approximately(Float64Array.from(trained!.data).reduce((a, b) => a + b) / 10_000, 2, 0.03)
      assert.isTrue(free!.data.every((value) => value === 2))
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})
