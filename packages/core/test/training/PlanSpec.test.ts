import { assert, describe, it } from "@effect/vitest"
import { Curve, HiddenLoss, Phase, Plan, PlanSpec, Rules } from "@rai/core"
import { Effect } from "effect"
import * as FastCheck from "fast-check"

const parse = (text: string) => Effect.runSync(PlanSpec.parse(text))

const message = (text: string) => Effect.runSync(Effect.flip(PlanSpec.parse(text))).message

/** Returns a phase as JSON, with functions replaced by their names. */
const view = (phase: Phase.Phase) =>
  JSON.parse(
    JSON.stringify(phase, (_, value) => {
      if (typeof value === "object" && value !== null && typeof value.name === "string") {
        const { name, rate, settings } = value
        return { name, rate, settings }
      }
      return value === Number.POSITIVE_INFINITY ? "Infinity" : value
    })
  )

const { constantFrom, double, integer, option, record } = FastCheck
const maybe = <A>(arbitrary: FastCheck.Arbitrary<A>) => option(arbitrary, { nil: undefined })
const above0 = double({ min: 1e-9, max: 1e6, noNaN: true })
const from0 = FastCheck.oneof(FastCheck.constant(0), above0)
const count = integer({ min: 1, max: 1e6 })

const optimizer = FastCheck.tuple(constantFrom(...Object.keys(Rules.table)), above0).chain(([name, rate]) => {
  const { defaults, make } = Rules.table[name]!
  const settings = record(Object.fromEntries(Object.keys(defaults).map((setting) => [setting, from0])), {
    requiredKeys: []
  })
  return settings.map((given) => make(rate, given as Readonly<Record<string, number>>))
})

const simple = FastCheck.oneof(
  constantFrom(Curve.constant, Curve.cosine, Curve.linear),
  above0.map(Curve.exponential),
  above0.map(Curve.warmUp)
)
const curve = FastCheck.oneof(
  simple,
  FastCheck.tuple(simple, simple).map(([a, b]) => Curve.times(a, b))
)

const length = FastCheck.oneof(record({ steps: count }), record({ epochs: count, batch: count }))

const settings = record(
  {
    optimizer,
    curve,
    clip: above0,
    regularizer: FastCheck.oneof(record({ l1: above0, l2: from0 }), record({ l1: from0, l2: above0 })),
    only: FastCheck.constant("output" as const),
    interval: count,
    careful: FastCheck.oneof(count, FastCheck.constant(Number.POSITIVE_INFINITY)).map(Phase.careful)
  },
  { requiredKeys: [] }
)

const cut = record({
  after: constantFrom("linear" as const, "activation" as const, "residual" as const),
  every: count,
  output: FastCheck.boolean()
})

const relaxing = record(
  {
    cut,
    hidden: constantFrom(...Object.values(HiddenLoss.table)),
    energy: constantFrom("mean" as const, "sum" as const),
    λ: from0,
    ramp: curve,
    auxiliaryOptimizer: optimizer,
    auxiliaries: constantFrom("free run" as const, "sweep" as const),
    refresh: count,
    penalty: from0,
    noise: from0,
    multipliers: above0
  },
  { requiredKeys: [] }
)

const phase: FastCheck.Arbitrary<Phase.Phase> = FastCheck.oneof(
  FastCheck.tuple(length, settings, relaxing).map(([of, given, own]) =>
    Phase.relax({ ...of, ...given, ...own } as Parameters<typeof Phase.relax>[0])
  ),
  FastCheck.tuple(length, settings, maybe(cut), FastCheck.boolean()).map(([of, given, own, centred]) =>
    Phase.alternate({
      ...of,
      ...given,
      centred,
      // The output of a phase that makes auxiliaries anew is never cut.
      ...(own === undefined ? {} : { cut: { ...own, output: false } })
    } as Parameters<typeof Phase.alternate>[0])
  ),
  FastCheck.tuple(length, settings).map(([of, given]) =>
    Phase.backpropagate({ ...of, ...given } as Parameters<typeof Phase.backpropagate>[0])
  )
)

describe("plans as text", () => {
  it("what is printed is read as the same plan, whatever its settings", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(phase, { minLength: 1, maxLength: 3 }), (phases) => {
        const text = Plan.print(Plan.make(...phases))
        const read = parse(text)
        assert.deepStrictEqual(read.phases.map(view), phases.map(view), text)
        assert.strictEqual(Plan.print(read), text)
      }),
      { numRuns: 500 }
    )
  })

  it("settings in any order; defaults need not be said", () => {
    const printed = (text: string) => Plan.print(parse(text))
    for (const text of [
      "relax:250:rprop=0.1,backpropagate:400:rprop=0.001",
      "relax:60:adam=0.01:every=10:after=activation:lambda=0.5:energy=sum:refresh=50:output",
      "alternate:10:muon=0.05+momentum=0.9+nesterov=0:batch=64",
      "backpropagate:30:adam=0.001:batch=64:clip=1",
      "backpropagate:1:sgd=0.5"
    ]) {
      assert.strictEqual(printed(text), text)
      const shuffled = text.split(",").map((phase) => {
        const [name, length, ...others] = phase.split(":")
        return [name, length, ...others.reverse()].join(":")
      })
      assert.strictEqual(printed(shuffled.join(",")), text)
    }
    const written =
      "relax:60:rprop=0.1:every=1:lambda=1:after=linear:energy=mean:hidden=squared:ramp=constant:interval=10"
    assert.strictEqual(printed(written), "relax:60:rprop=0.1")
    assert.strictEqual(printed("backpropagate:30:batch=64"), "backpropagate:30:adam=0.001:batch=64")
    assert.strictEqual(printed("relax:5"), "relax:5:rprop=0.1")
  })
})

/** Invalid texts of each kind, with the part that is quoted and the expected message. */
const wrong: ReadonlyArray<readonly [text: string, came: string, expected: RegExp]> = [
  ["", "", /a phase named relax, alternate or backpropagate/],
  ["dream:10", "dream:10", /a phase named relax, alternate or backpropagate/],
  ["constructor:10", "constructor:10", /a phase named relax, alternate or backpropagate/],
  ["relax", "", /a number of steps from 1 after the phase's name/],
  ["relax:0", "0", /a number of steps from 1/],
  ["relax:ten", "ten", /a number of steps from 1/],
  ["relax:1.5", "1.5", /a number of steps from 1/],
  ["relax:3:rprop=0.1:adam=0.01", "relax:3:rprop=0.1:adam=0.01", /one optimiser in a phase/],
  ["relax:3:every=2:every=3", "relax:3:every=2:every=3", /one every in a phase/],
  ["relax:3:z-adam=0.1:z-sgd=0.1", "relax:3:z-adam=0.1:z-sgd=0.1", /one z-optimiser in a phase/],
  ["relax:10:rprop=-1", "rprop=-1", /a rate above 0 as in rprop=0\.1/],
  ["relax:10:rprop=x", "rprop=x", /a rate above 0/],
  ["relax:10:rprop=Infinity", "rprop=Infinity", /a rate above 0/],
  ["relax:10:rprop", "rprop", /a rate above 0/],
  ["relax:10:rprop+smallest=0", "rprop+smallest=0", /an optimiser/],
  ["relax:10:rprop=0.1=5", "rprop=0.1=5", /a rate above 0/],
  ["relax:10:z-adam=0", "z-adam=0", /a rate above 0 as in z-adam=0\.1/],
  ["relax:10:rprop=0.1+momentum=0.5", "momentum=0.5", /settings of rprop such as smallest=/],
  ["relax:10:sgd=0.1+speed=1", "speed=1", /settings of sgd such as momentum=0\.9 or nesterov=0/],
  ["relax:10:sgd=0.1+momentum=-1", "momentum=-1", /settings of sgd such as momentum=0\.9/],
  ["relax:10:sgd=0.1+momentum=", "momentum=", /settings of sgd such as momentum=0\.9/],
  ["relax:10:sgd=0.1+momentum=Infinity", "momentum=Infinity", /settings of sgd such as momentum=0\.9/],
  ["relax:10:newton=1", "newton=1", /an optimiser \(rprop, adam, adamw, sgd, rmsprop, muon\) or batch, .*refresh/],
  ["relax:10:constructor=1", "constructor=1", /an optimiser \(rprop, adam/],
  ["backpropagate:10:every=2", "every=2", /an optimiser \(rprop, .*\) or batch, curve, clip, l1, l2/],
  ["backpropagate:10:z-adam=1", "z-adam=1", /an optimiser/],
  ["alternate:10:lambda=1", "lambda=1", /an optimiser .* every, after, uncentred/],
  ...["batch", "interval", "refresh", "every"].flatMap((name) =>
    ["0", "-1", "2.5", "x", ""].map(
      (value) =>
        [
          `relax:10:${name}=${value}`,
          `${name}=${value}`,
          new RegExp(`a whole number from 1 as in ${name}=\\d+`)
        ] as const
    )
  ),
  ...["clip", "multipliers"].flatMap((name) =>
    ["0", "-1", "x", "", "Infinity"].map(
      (value) =>
        [`relax:10:${name}=${value}`, `${name}=${value}`, new RegExp(`a number above 0 as in ${name}=`)] as const
    )
  ),
  ...["l1", "l2", "lambda", "penalty", "noise"].flatMap((name) =>
    ["-1", "x", "", "Infinity"].map(
      (value) =>
        [`relax:10:${name}=${value}`, `${name}=${value}`, new RegExp(`a number from 0 as in ${name}=`)] as const
    )
  ),
  ...["curve", "ramp"].flatMap((name) =>
    ["", "quadratic", "exponential", "exponential0", "warmup-1", "cosine2", "warmup0.1*x"].map(
      (value) =>
        [
          `relax:10:${name}=${value}`,
          `${name}=${value}`,
          new RegExp(`a curve: constant, cosine, linear, exponential0\\.1, .* as in ${name}=warmup0\\.1\\*cosine`)
        ] as const
    )
  ),
  ...["0", "-1", "x", ""].map(
    (value) =>
      [`relax:10:patience=${value}`, `patience=${value}`, /a number of steps as in patience=30, or Infinity/] as const
  ),
  ["relax:10:only=input", "only=input", /one of output/],
  ["relax:10:after=wave", "after=wave", /one of linear, activation, residual/],
  ["relax:10:hidden=cubic", "hidden=cubic", /one of squared, huber, cosine/],
  ["relax:10:energy=max", "energy=max", /one of mean, sum/],
  ["relax:10:sweep=no", "sweep=no", /sweep alone/],
  ["relax:10:output=false", "output=false", /output alone/],
  ["alternate:10:uncentred=0", "uncentred=0", /uncentred alone/]
]

describe("what cannot be read is named on one line, with what there is", () => {
  for (const [text, came, expected] of wrong) {
    it(text === "" ? "nothing" : text, () => {
      const line = message(text)
      assert.match(line, expected)
      assert.match(
        line,
        /^expected [^\n]+ in the plan, but «[^\n]*» came; write auto, or phases such as relax:250:rprop=0\.1/
      )
      assert.include(line, `«${came}»`)
    })
  }

  it("the phase at fault, among several", () => {
    assert.include(message("relax:10,backpropagate:x"), "«x»")
  })
})
