import { assert, describe, it } from "@effect/vitest"
import {
  Curve,
  Engine,
  Gradient,
  type NdArray,
  type Optimizer,
  PlanSpec,
  Program,
  ReferenceEngine,
  Sgd
} from "@rai/core"
import { Effect } from "effect"
import * as Clip from "../../src/optimization/Clip.ts"
import * as Regularizer from "../../src/optimization/Regularizer.ts"
import * as Rules from "../../src/optimization/Rules.ts"
import * as Elementwise from "../../src/training/Elementwise.ts"
import * as Fixture from "../fixtures/Fixture.ts"
import trajectories from "../fixtures/optimizer-trajectories.json" with { type: "json" }

type Named<A> = Readonly<Record<string, A>>

interface Recorded {
  readonly steps: ReadonlyArray<number>
  readonly start: Named<Fixture.Numbers>
  readonly gradients: ReadonlyArray<Named<Fixture.Numbers>>
  readonly rules: Named<ReadonlyArray<Named<Fixture.Numbers>>>
  readonly bfloat16: Named<ReadonlyArray<Named<Fixture.Numbers>>>
  readonly clip: ReadonlyArray<{ readonly longest: number; readonly gradients: Named<Fixture.Numbers> }>
  readonly regularizer: ReadonlyArray<{
    readonly l1: number
    readonly l2: number
    readonly of: Named<{ readonly w: Fixture.Numbers; readonly slope: Fixture.Numbers }>
  }>
}

/** Written by optimizers.py: PyTorch in float64. */
const fixture = Fixture.read<Recorded>("optimizers.json")

const scalar = (value: number): NdArray.NdArray => ({ shape: [], data: Float64Array.of(value) })

/** Runs one parameter through all steps on the fixture's gradients, in a session as in training; returns the state after each step. */
const trajectory = Effect.fnUntraced(function* (
  { initial, rate, update }: Optimizer.Optimizer,
  start: Fixture.Numbers,
  gradients: ReadonlyArray<Fixture.Numbers>,
  curve: Curve.Curve = Curve.constant
) {
  const p = Fixture.array(start)
  const slots = initial(p.shape, rate)
  const shapes = Object.fromEntries(Object.entries(slots).map(([slot, { shape }]) => [slot, shape]))
  const program = yield* Program.make({ ...shapes, p: p.shape, g: p.shape, rate: [] }, ({ g, p, rate, ...given }) => {
    const { parameter, slots: kept } = update(p!, g!, given, rate!)
    return { p: parameter, after: parameter, ...kept }
  })
  const engine = yield* Engine.Engine
  const session = yield* engine.session({ ...slots, p })
  return yield* Effect.forEach(gradients, (gradient, step) => {
    const factor = curve.at(step / gradients.length)
    const inputs = { g: Fixture.array(gradient), rate: scalar(rate * factor) }
    return Effect.map(session.advance(program, inputs), ({ after }) => after!)
  })
})

const follows = (text: string, expected: ReadonlyArray<Named<Fixture.Numbers>>, tolerance: number) =>
  Effect.gen(function* () {
    const [rule = "", curve = "constant"] = text.split(" ")
    const [phase] = (yield* PlanSpec.parse(`backpropagate:1:${rule}`)).phases
    for (const name of Object.keys(expected[0]!)) {
      const came = yield* trajectory(
        phase!.optimizer,
        fixture.start[name]!,
        fixture.gradients.map((of) => of[name]!),
        Curve.named(curve)!
      )
      fixture.steps.forEach((step, i) => {
        Fixture.near(came[step - 1]!, expected[i]![name]!, tolerance, `${name} after step ${step}`)
      })
    }
  }).pipe(Effect.scoped, Effect.provide(ReferenceEngine.layer))

describe("optimisers follow PyTorch's trajectories, float64", () => {
  it("every rule has at least one", () => {
    const ruled = Object.keys(fixture.rules).map((text) => text.split("=")[0]!)
    assert.sameMembers([...new Set(ruled)], Object.keys(Rules.table))
  })

  for (const [text, expected] of Object.entries(fixture.rules)) {
    // PyTorch's Newton–Schulz divides by the norm itself, ours by the norm and 1e-7.
    const tolerance = text.startsWith("muon") ? 1e-7 : 1e-12
    it.effect(`${text}, within ${tolerance}`, () => follows(text, expected, tolerance))
  }

  it.effect("muon as PyTorch runs it, within what bfloat16 can tell", () =>
    // 24 steps of 0.02, each from five iterations right to 2⁻⁸.
    follows("muon=0.02", fixture.bfloat16["muon=0.02"]!, 24 * 0.02 * 5 * 2 ** -8)
  )

  for (const [text, name] of [
    ["rprop=0.1", "rprop"],
    ["adam=0.1", "adam"],
    ["sgd=0.1", "sgd_momentum"]
  ] as const) {
    it.effect(`${text} on one number from 1, within 1e-12`, () =>
      Effect.gen(function* () {
        const [phase] = (yield* PlanSpec.parse(`backpropagate:1:${text}`)).phases
        const came = yield* trajectory(
          phase!.optimizer,
          [1],
          trajectories.gradients.map((g) => [g])
        )
        trajectories.parameters[name].forEach((p, i) => {
          Fixture.near(came[i]!, [p], 1e-12, `after step ${i + 1}`)
        })
      }).pipe(Effect.scoped, Effect.provide(ReferenceEngine.layer))
    )
  }
})

it.effect("the rules that say that they are elementwise are, with any settings", () =>
  Effect.gen(function* () {
    for (const text of Object.keys(fixture.rules)) {
      const [phase] = (yield* PlanSpec.parse(`backpropagate:1:${text.split(" ")[0]}`)).phases
      const { optimizer } = phase!
      assert.strictEqual(Elementwise.holds(optimizer), optimizer.name !== "muon", text)
    }
  })
)

it("a rule that looks at an array's axes is not elementwise, however many of them it looks for", () => {
  const sgd = Sgd.make(0.1)
  for (const axes of [1, 2, 3, 4]) {
    const update: typeof sgd.update = (p, g, ...others) =>
      sgd.update(p, p.shape.length === axes ? g.add(p.mul(0.1)) : g, ...others)
    assert.isFalse(Elementwise.holds({ ...sgd, update }), `${axes}`)
  }
  assert.isTrue(Elementwise.holds({ ...sgd, update: (p, g, ...others) => sgd.update(p, g.mul(2), ...others) }))
})

describe("what is done to gradients", () => {
  it.effect("clipped to a joint length as clip_grad_norm_ does, within 1e-12", () =>
    Effect.gen(function* () {
      for (const { gradients, longest } of fixture.clip) {
        const names = Object.keys(gradients)
        const given = Object.fromEntries(names.map((name) => [name, Fixture.array(fixture.gradients[0]![name]!)]))
        const signature = Object.fromEntries(names.map((name) => [name, given[name]!.shape]))
        const program = yield* Program.make(signature, (of) => {
          const clipped = Clip.norm(
            names.map((name) => of[name]!),
            longest
          )
          return Object.fromEntries(names.map((name, i) => [name, clipped[i]!]))
        })
        const came = yield* Engine.run(program, given)
        for (const name of names) Fixture.near(came[name]!, gradients[name]!, 1e-12, `${name} to ${longest}`)
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("ℓ₁ and ℓ₂ as gradients, ℓ₂ as weight_decay, within 1e-12", () =>
    Effect.gen(function* () {
      for (const { l1, l2, of } of fixture.regularizer) {
        const names = Object.keys(of)
        const given = Object.fromEntries(names.map((name) => [name, Fixture.array(of[name]!.w)]))
        const signature = Object.fromEntries(names.map((name) => [name, given[name]!.shape]))
        const penalty = yield* Program.make(signature, (w) => ({
          penalty: Regularizer.penalty({ l1, l2 }, Object.values(w))
        }))
        const came = yield* Engine.run(yield* Gradient.make({ of: "penalty", inputs: names })(penalty), given)
        for (const name of names) Fixture.near(came[`gradient/${name}`]!, of[name]!.slope, 1e-12, `${name} ${l1} ${l2}`)
        const squares = names.flatMap((name) =>
          Array.from(given[name]!.data, (w) => l1 * Math.abs(w) + (l2 * w * w) / 2)
        )
        Fixture.near(
          came.penalty!,
          squares.reduce((a, b) => a + b),
          1e-12,
          "the penalty"
        )
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("no weights, no penalty", () =>
    Effect.gen(function* () {
      const program = yield* Program.make({ w: [2] }, ({ w }) => ({
        none: Regularizer.penalty({ l1: 1, l2: 1 }, []),
        zero: Regularizer.penalty({ l1: 0, l2: 0 }, [w])
      }))
      const { none, zero } = yield* Engine.run(program, { w: Fixture.array([1, 2]) })
      Fixture.near(none!, 0, 0, "the penalty of no weights")
      Fixture.near(zero!, 0, 0, "a penalty of weight 0")
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})
