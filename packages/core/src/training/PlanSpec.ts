/**
 * Plans as text: `relax:60:rprop=0.001:every=10,backpropagate:120:rprop=0.0001`.
 */
import { Data, Effect } from "effect"
import * as BlockKinds from "../circuit/BlockKinds.ts"
import * as Curve from "../optimization/Curve.ts"
import * as Rules from "../optimization/Rules.ts"
import * as Cut from "../relaxation/Cut.ts"
import * as HiddenLoss from "../relaxation/HiddenLoss.ts"
import * as Bound from "./Bound.ts"
import * as Phase from "./Phase.ts"
import * as Plan from "./Plan.ts"

/** A plan's text that cannot be parsed. */
export class PlanInvalid extends Data.TaggedError("PlanInvalid")<{
  readonly expected: string
  readonly came: string
}> {
  override get message(): string {
    return `expected ${this.expected} in the plan, but «${this.came}» came; write auto, or phases such as relax:250:rprop=0.1,backpropagate:400:rprop=0.001`
  }
}

/**
 * Parses a plan: phases in order, `name:steps[:rule=rate][:setting=value…]`; with `batch=64` the steps are epochs.
 *
 * ```ts
 * import { Plan, PlanSpec } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const plan = Effect.runSync(PlanSpec.parse("relax:60:rprop=0.001:every=10,backpropagate:120"))
 * Plan.print(plan) // => "relax:60:rprop=0.001:every=10,backpropagate:120:rprop=0.001"
 * ```
 */
export const parse = (text: string): Effect.Effect<Plan.Plan, PlanInvalid> =>
  Effect.map(Effect.forEach(text.split(","), phase), (phases) => Plan.make(...phases))

type Draft = { [key: string]: unknown; cut: { after: Cut.Cut["after"]; every: number; output: boolean } }

/** Applies a setting to the phase; returns what was expected where the value cannot be parsed. */
type Setting = (draft: Draft, value: string) => string | undefined

const numeric =
  (key: string, { expected, fits }: Bound.Bound, example: string): Setting =>
  (draft, value) => {
    const number = value.trim() === "" ? Number.NaN : Number(value)
    if (!fits(number)) return `${expected} as in ${example}`
    draft[key] = number
    return undefined
  }

const counting = (key: string, example: string): Setting => numeric(key, Bound.counting, example)

const curve =
  (key: string): Setting =>
  (draft, value) => {
    const found = Curve.named(value)
    if (found === undefined)
      return `a curve: constant, cosine, linear, exponential0.1, warmup0.1, or two as in ${key}=warmup0.1*cosine`
    draft[key] = found
    return undefined
  }

const chosen =
  (values: ReadonlyArray<string>, set: (draft: Draft, value: string) => void): Setting =>
  (draft, value) => {
    if (!values.includes(value)) return `one of ${values.join(", ")}`
    set(draft, value)
    return undefined
  }

/** A flag: a setting without a value. */
const word =
  (name: string, set: (draft: Draft) => void): Setting =>
  (draft, value) => {
    if (value !== "") return `the word ${name} alone, or nothing`
    set(draft)
    return undefined
  }

const regularizer =
  (key: "l1" | "l2"): Setting =>
  (draft, value) => {
    const number = value === "" ? Number.NaN : Number(value)
    if (!(number >= 0 && Number.isFinite(number))) return `a number from 0 as in ${key}=0.0001`
    draft.regularizer = { l1: 0, l2: 0, ...(draft.regularizer as object | undefined), [key]: number }
    return undefined
  }

const common: Readonly<Record<string, Setting>> = {
  batch: counting("batch", "batch=64"),
  curve: curve("curve"),
  clip: numeric("clip", Bound.positive, "clip=1"),
  l1: regularizer("l1"),
  l2: regularizer("l2"),
  interval: counting("interval", "interval=10"),
  patience: (draft, value) => {
    const patience = Number(value)
    if (!(patience >= 1)) return "a number of steps as in patience=30, or Infinity"
    draft.careful = { ...Phase.careful(patience), ...(draft.careful as object | undefined), patience }
    return undefined
  },
  attempts: (draft, value) => {
    const attempts = Number(value)
    if (!Number.isInteger(attempts) || attempts < 1) return "a whole number from 1 as in attempts=5"
    draft.careful = { ...Phase.careful(Number.POSITIVE_INFINITY), ...(draft.careful as object | undefined), attempts }
    return undefined
  },
  only: chosen(["output"], (draft, value) => {
    draft.only = value
  })
}

const cutting: Readonly<Record<string, Setting>> = {
  every: (draft, value) => counting("every", "every=10")(draft.cut as never, value),
  after: (draft, value) => {
    const known = [...new Set(["linear", "activation", "residual", ...Object.keys(BlockKinds.table)])]
    // Operators of imported networks start with a capital letter.
    const wrong = value.split("+").some((kind) => !known.includes(kind) && !/^[A-Z]\w*$/.test(kind))
    if (wrong) return `one of ${known.join(", ")}, or operators as in Gemm+Conv`
    draft.cut.after = value
    return undefined
  }
}

const relaxing: Readonly<Record<string, Setting>> = {
  ...cutting,
  lambda: numeric("λ", Bound.fromZero, "lambda=1"),
  ramp: curve("ramp"),
  hidden: chosen(Object.keys(HiddenLoss.table), (draft, value) => {
    draft.hidden = HiddenLoss.table[value]
  }),
  energy: chosen(["mean", "sum"], (draft, value) => {
    draft.energy = value
  }),
  refresh: counting("refresh", "refresh=50"),
  penalty: numeric("penalty", Bound.fromZero, "penalty=0.001"),
  noise: numeric("noise", Bound.fromZero, "noise=0.1"),
  multipliers: numeric("multipliers", Bound.positive, "multipliers=0.1"),
  sweep: word("sweep", (draft) => {
    draft.auxiliaries = "sweep"
  }),
  output: word("output", (draft) => {
    draft.cut.output = true
  })
}

const alternating: Readonly<Record<string, Setting>> = {
  ...cutting,
  uncentred: word("uncentred", (draft) => {
    draft.centred = false
  })
}

const kinds = {
  relax: { settings: { ...common, ...relaxing }, make: Phase.relax },
  alternate: { settings: { ...common, ...alternating }, make: Phase.alternate },
  backpropagate: { settings: common, make: Phase.backpropagate }
} satisfies Record<string, { settings: Readonly<Record<string, Setting>>; make: (options: never) => Phase.Phase }>

const phase = Effect.fnUntraced(function* (text: string) {
  const [name = "", length = "", ...settings] = text.trim().split(":")
  if (!Object.hasOwn(kinds, name)) {
    return yield* new PlanInvalid({ expected: "a phase named relax, alternate or backpropagate", came: text })
  }
  const kind = kinds[name as keyof typeof kinds] as {
    settings: Readonly<Record<string, Setting>>
    make: (options: never) => Phase.Phase
  }
  const draft: Draft = { cut: { ...Cut.paper } as Draft["cut"] }
  const wrong = counting("steps", "250")(draft, length)
  if (wrong !== undefined) {
    return yield* new PlanInvalid({ expected: "a number of steps from 1 after the phase's name", came: length })
  }
  const said = new Set<string>()
  for (const setting of settings) {
    const [key = "", ...values] = setting.split("=")
    const own = key.startsWith("z-") && name === "relax" ? key.slice(2) : key
    const isRule = Object.hasOwn(Rules.table, own)
    const what = isRule ? `${key.slice(0, -own.length)}optimiser` : key
    if (said.has(what)) return yield* new PlanInvalid({ expected: `one ${what} in a phase`, came: text.trim() })
    said.add(what)
    if (isRule) {
      draft[own === key ? "optimizer" : "auxiliaryOptimizer"] = yield* rule(own, setting)
      continue
    }
    const read = Object.hasOwn(kind.settings, key) ? kind.settings[key] : undefined
    if (read === undefined) {
      const expected = `an optimiser (${Object.keys(Rules.table).join(", ")}) or ${Object.keys(kind.settings).join(", ")}`
      return yield* new PlanInvalid({ expected, came: setting })
    }
    const expected = read(draft, values.join("="))
    if (expected !== undefined) return yield* new PlanInvalid({ expected, came: setting })
  }
  const { cut, steps, ...others } = draft
  const ofBatches = draft.batch === undefined ? { steps } : { epochs: steps }
  return kind.make({ ...others, ...ofBatches, ...(name === "backpropagate" ? {} : { cut }) } as never)
})

/** Parses a rule's setting: `sgd=0.1`, or `sgd=0.1+momentum=0.5`. */
const rule = Effect.fnUntraced(function* (name: string, text: string) {
  const { defaults, make } = Rules.table[name]!
  const [first = "", ...pairs] = text.split("+")
  const [key, ...rates] = first.split("=")
  const rate = rates.join("=")
  if (!Bound.positive.fits(Number(rate)))
    return yield* new PlanInvalid({ expected: `a rate above 0 as in ${key}=0.1`, came: text })
  const settings: Record<string, number> = {}
  for (const pair of pairs) {
    const [key = "", value = ""] = pair.split("=")
    if (!Object.hasOwn(defaults, key) || value === "" || !(Number(value) >= 0 && Number.isFinite(Number(value)))) {
      const known = Object.entries(defaults).map(([setting, byDefault]) => `${setting}=${byDefault}`)
      const expected =
        known.length === 0 ? `no settings after ${name}` : `settings of ${name} such as ${known.join(" or ")}`
      return yield* new PlanInvalid({ expected, came: pair })
    }
    settings[key] = Number(value)
  }
  return make(Number(rate), settings)
})
