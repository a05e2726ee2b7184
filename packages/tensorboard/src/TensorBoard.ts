/**
 * Training events for TensorBoard: each measurement as scalars by tag.
 */
import { History, type TrainingEvent } from "@rai/core"
import { Effect, Stream } from "effect"
import { EventFile, type EventFileUnwritable } from "./EventFile.ts"

/** Tag of each number in a row of the history. */
const tags: Readonly<Record<string, string>> = {
  freeRunLoss: "loss/free run",
  validationLoss: "loss/validation",
  relaxedLoss: "loss/relaxed",
  relaxationGap: "loss/relaxation gap",
  freeRunShare: "variance left/free run",
  validationShare: "variance left/validation",
  freeRunAccuracy: "accuracy/free run",
  validationAccuracy: "accuracy/validation",
  medianResidual: "residual/median of the cuts",
  largestResidual: "residual/largest of the cuts",
  smallestGradient: "gradient norm/smallest of the stages",
  medianGradient: "gradient norm/median of the stages",
  largestGradient: "gradient norm/largest of the stages"
}

/** Writes the measurement of an event, if it has one. */
export const write = (event: TrainingEvent.TrainingEvent): Effect.Effect<void, EventFileUnwritable, EventFile> => {
  const row = History.row(event)
  if (row === undefined) return Effect.void
  const numbers = Object.entries(History.numbers(row)).flatMap(([name, value]) => {
    const tag = tags[name]
    return tag === undefined ? [] : [[tag, value]]
  })
  return EventFile.use(({ scalars }) => scalars(row.total, Object.fromEntries(numbers)))
}

/**
 * Returns the same stream of events, writing each for TensorBoard as it passes.
 *
 * ```ts
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import { Circuit, Moons, Plan, ReferenceEngine, Training } from "@rai/core"
 * import { EventFile, TensorBoard } from "@rai/tensorboard"
 * import { Effect, Layer, Stream } from "effect"
 * import { mkdtempSync } from "node:fs"
 *
 * const folder = mkdtempSync("/tmp/runs-") // tensorboard --logdir says the same
 * const program = Effect.gen(function*() {
 *   const data = yield* Moons.make({ examples: 20, seed: 1 })
 *   const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })
 *   const events = Training.stream(circuit, data, { plan: Plan.relax({ steps: 20 }) })
 *   return yield* Stream.runCount(TensorBoard.record(events))
 * })
 * const writer = EventFile.EventFile.layer({ folder })
 * const layers = Layer.mergeAll(ReferenceEngine.layer, Layer.provide(writer, NodeServices.layer))
 * const events = await Effect.runPromise(Effect.provide(program, layers))
 * events // => 22
 * ```
 */
export const record = <E, R>(
  events: Stream.Stream<TrainingEvent.TrainingEvent, E, R>
): Stream.Stream<TrainingEvent.TrainingEvent, E | EventFileUnwritable, R | EventFile> => Stream.tap(events, write)
