/**
 * Results of runs as a semigroup: the best one.
 */
import { Measurement, type TrainingEvent } from "@rai/core"
import { Ord as OrdOfNumbers } from "fp-ts/lib/number.js"
import { contramap, type Ord as OrdOf } from "fp-ts/lib/Ord.js"
import { min, type Semigroup } from "fp-ts/lib/Semigroup.js"

/**
 * The free-run loss that a run is judged by, of several targets the mean share of variance left: on validation data if there were any, else on the
 * training data; NaN counts as the worst.
 */
export const loss = ({ measurement }: TrainingEvent.Finished): number => {
  const { freeRun, validation: judged = freeRun } = Measurement.judged(measurement)
  return Number.isNaN(judged) ? Number.POSITIVE_INFINITY : judged
}

/** Orders by loss, the lowest first. */
export const Ord: OrdOf<TrainingEvent.Finished> = contramap(loss)(OrdOfNumbers)

/**
 * The result with the lower loss, the first of equal ones. Compare only results that were judged on the same data.
 *
 * ```ts
 * import { Circuit, Plan, ReferenceEngine } from "@rai/core"
 * import { Data, Engine, Results, Training } from "@rai/fp-ts"
 * import * as E from "fp-ts/lib/Either.js"
 * import { pipe } from "fp-ts/lib/function.js"
 * import * as RNEA from "fp-ts/lib/ReadonlyNonEmptyArray.js"
 * import * as RTE from "fp-ts/lib/ReaderTaskEither.js"
 *
 * const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })
 * const plan = Plan.relax({ steps: 3 })
 * const best = pipe(
 *   Data.read("xor"),
 *   RTE.flatMap((data) => RTE.traverseReadonlyNonEmptyArrayWithIndex((seed) => Training.run(circuit, data, { plan, seed }))([0, 1, 2])),
 *   RTE.map(RNEA.concatAll(Results.best)),
 *   Engine.using(ReferenceEngine.layer)
 * )
 * pipe(await best(), E.map(({ trained }) => trained.origin.seed)) // => E.right(2)
 * ```
 */
export const best: Semigroup<TrainingEvent.Finished> = min(Ord)
