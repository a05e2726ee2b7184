/**
 * Conversions between Effect and fp-ts: an expected error is a left on both sides, a defect rejects the promise, an interruption is `Cancelled`.
 */
import { Cause, Effect, Exit, Option, Stream } from "effect"
import * as E from "fp-ts/lib/Either.js"
import type { TaskEither } from "fp-ts/lib/TaskEither.js"
import { Cancelled } from "../RaiError.ts"

/** Runs the effect when the task is run, unless the signal is already aborted by then. */
export const toTaskEither =
  <A, E1>(effect: Effect.Effect<A, E1>, signal?: AbortSignal): TaskEither<E1 | Cancelled, A> =>
  () =>
    signal?.aborted === true
      ? Promise.resolve(E.left(Cancelled.by(signal)))
      : Effect.runPromiseExit(effect, { signal }).then(
          Exit.match({
            onSuccess: (value): E.Either<E1 | Cancelled, A> => E.right(value),
            onFailure: (cause) => {
              const error = Cause.findErrorOption(cause)
              if (Option.isSome(error)) return E.left(error.value)
              // A defect is not a value: it rejects, as an exception in any task does.
              return Cause.hasDies(cause) ? Promise.reject(Cause.squash(cause)) : E.left(Cancelled.by(signal))
            }
          })
        )

/** Runs the task when the effect is run. */
export const fromTaskEither = <E1, A>(task: TaskEither<E1, A>): Effect.Effect<A, E1> =>
  Effect.flatMap(Effect.promise(task), fromEither)

/** Fails with a left, succeeds with a right. */
export const fromEither: <E1, A>(either: E.Either<E1, A>) => Effect.Effect<A, E1> = E.matchW(
  Effect.fail,
  Effect.succeed
)

/** The stream's elements as rights, and its error as a left at the end. */
export const toAsyncIterable = <A, E1>(
  stream: Stream.Stream<A, E1>,
  signal?: AbortSignal
): AsyncIterable<E.Either<E1 | Cancelled, A>> =>
  stream.pipe(
    Stream.interruptWhen(signal === undefined ? Effect.never : cancelled(signal)),
    Stream.map((value): E.Either<E1 | Cancelled, A> => E.right(value)),
    Stream.catch((error) => Stream.succeed(E.left(error))),
    Stream.toAsyncIterable
  )

/** Fails once the signal is aborted. */
const cancelled = (signal: AbortSignal): Effect.Effect<never, Cancelled> =>
  Effect.callback((resume) => {
    const fail = () => resume(Effect.fail(Cancelled.by(signal)))
    if (signal.aborted) return fail()
    signal.addEventListener("abort", fail, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", fail))
  })
