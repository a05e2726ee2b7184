/**
 * Plans as a monoid: phases in order.
 */
import { Plan, PlanSpec } from "@rai/core"
import { Effect } from "effect"
import * as E from "fp-ts/lib/Either.js"
import type { Monoid as MonoidOf } from "fp-ts/lib/Monoid.js"

/**
 * Concatenates plans (`Plan.andThen`); start, coordinates and stop come from the first plan that sets them. The empty plan has no phases and sets
 * nothing; training refuses it with `PlanUnfit`.
 *
 * ```ts
 * import { Plan } from "@rai/core"
 * import { Plans } from "@rai/fp-ts"
 * import { concatAll } from "fp-ts/lib/Monoid.js"
 *
 * const plan = concatAll(Plans.Monoid)([60, 30].map((steps) => Plan.relax({ steps })))
 * Plan.print(plan) // => "relax:60:rprop=0.1,relax:30:rprop=0.1"
 * ```
 */
export const Monoid: MonoidOf<Plan.Plan> = { concat: Plan.andThen, empty: Plan.make() }

/** Parses a plan, `relax:60:rprop=0.001,backpropagate:120`: `PlanSpec.parse` of `@rai/core`. */
export const parse = (text: string): E.Either<PlanSpec.PlanInvalid, Plan.Plan> =>
  Effect.runSync(Effect.match(PlanSpec.parse(text), { onFailure: E.left, onSuccess: E.right }))
