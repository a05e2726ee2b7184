/**
 * Plans as text: `relax:60:rprop=0.001:every=10,backpropagate:120:rprop=0.0001`.
 */
import { Effect, Schema } from "effect"
import type { Optimizer } from "../optimization/Optimizer.ts"
import * as Rules from "../optimization/Rules.ts"
import * as Cut from "../relaxation/Cut.ts"
import * as Phase from "./Phase.ts"
import * as Plan from "./Plan.ts"

/** A plan that cannot be read. */
export class PlanInvalid extends Schema.TaggedError<PlanInvalid>()("PlanInvalid", {
  expected: Schema.String,
  came: Schema.String
}) {
  override get message(): string {
    return `expected ${this.expected} in the plan, but «${this.came}» came; write auto, or phases such as relax:250:rprop=0.1,backpropagate:400:rprop=0.001`
  }
}

/**
 * The plan that a text describes: phases in order, `name:steps[:rule=rate][:setting=value…]`.
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

const phase = Effect.fnUntraced(function* (text: string) {
  const [name, steps, ...settings] = text.trim().split(":")
  if (name !== "relax" && name !== "backpropagate") {
    return yield* new PlanInvalid({ expected: "a phase named relax or backpropagate", came: text })
  }
  const common: { steps: number; optimizer?: Optimizer } = {
    steps: yield* number(steps ?? "", "a number of steps from 1 after the phase's name", 1)
  }
  const cut: { -readonly [K in keyof Cut.Cut]: Cut.Cut[K] } = { ...Cut.paper }
  const relaxing: { λ?: number; energy?: "mean" | "sum"; refresh?: number } = {}
  for (const setting of settings) {
    const [key = "", ...values] = setting.split("=")
    const value = values.join("=")
    if (Object.hasOwn(Rules.table, key)) {
      common.optimizer = Rules.table[key]!(yield* number(value, `a rate above 0 as in ${key}=0.1`, Number.MIN_VALUE))
    } else if (name === "backpropagate") {
      return yield* new PlanInvalid({
        expected: `an optimiser, ${Object.keys(Rules.table).join(", ")},`,
        came: setting
      })
    } else if (key === "every") {
      cut.every = yield* number(value, "a whole number as in every=10", 1)
    } else if (key === "lambda") {
      relaxing.λ = yield* number(value, "a number above 0 as in lambda=1", Number.MIN_VALUE)
    } else if (key === "refresh") {
      relaxing.refresh = yield* number(value, "a number of steps as in refresh=50", 1)
    } else if (key === "after" && (value === "linear" || value === "activation")) {
      cut.after = value
    } else if (key === "energy" && (value === "mean" || value === "sum")) {
      relaxing.energy = value
    } else if (setting === "output") {
      cut.output = true
    } else {
      const expected = `an optimiser (${Object.keys(Rules.table).join(", ")}) or every, lambda, after=linear|activation, energy=mean|sum, refresh, output`
      return yield* new PlanInvalid({ expected, came: setting })
    }
  }
  return name === "relax" ? Phase.relax({ ...common, ...relaxing, cut }) : Phase.backpropagate(common)
})

const number = (text: string, expected: string, minimum: number): Effect.Effect<number, PlanInvalid> => {
  const value = text.trim() === "" ? Number.NaN : Number(text)
  const whole = minimum === 1
  return Number.isFinite(value) && value >= minimum && (!whole || Number.isInteger(value))
    ? Effect.succeed(value)
    : Effect.fail(new PlanInvalid({ expected, came: text }))
}
