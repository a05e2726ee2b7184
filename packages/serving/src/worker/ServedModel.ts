/**
 * A model that stays up: when its worker stops, its requests are refused until another one is open.
 */
import { Deferred, Effect, Schedule, type Scope } from "effect"
import { ModelUnavailable } from "../RequestError.ts"
import * as ModelWorker from "./ModelWorker.ts"

/** A model and the worker that has it now; asking for the worker fails while none is open. */
export interface ServedModel {
  readonly name: string
  readonly version: string
  readonly worker: Effect.Effect<ModelWorker.ModelWorker, ModelUnavailable>
}

const untilItOpens = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("10 seconds")])

/** Opens a model and keeps it open until the scope closes; fails where the first opening does. */
export const make = Effect.fnUntraced(function* (
  options: ModelWorker.Options & { readonly version: string }
): Effect.fn.Return<ServedModel, ModelWorker.ModelLoadFailed, Scope.Scope> {
  const { name, version } = options
  const first = yield* Deferred.make<void, ModelWorker.ModelLoadFailed>()
  let current: ModelWorker.ModelWorker | undefined

  const oneLife = Effect.gen(function* () {
    current = yield* ModelWorker.make(options)
    yield* Deferred.succeed(first, undefined)
    yield* current.stopped
    current = undefined
    yield* Effect.logWarning(`the worker of the model "${name}" stopped; starting it again`)
  }).pipe(Effect.scoped)

  yield* oneLife.pipe(
    Effect.tapError((failure) => Deferred.fail(first, failure)),
    Effect.retry(untilItOpens),
    Effect.repeat(Schedule.spaced("100 millis")),
    Effect.forkScoped
  )
  yield* Deferred.await(first)
  return {
    name,
    version,
    worker: Effect.suspend(() =>
      current === undefined ? Effect.fail(new ModelUnavailable({ model: name })) : Effect.succeed(current)
    )
  }
})
