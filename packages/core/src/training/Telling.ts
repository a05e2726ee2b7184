/**
 * Who is told of a run's events, and the snapshots that are kept of it.
 */
import { Effect, Ref } from "effect"
import { isPlatformError } from "effect/PlatformError"
import type { Phase } from "./Phase.ts"
import type { PhaseRun, Snapshot } from "./PhaseRun.ts"
import type { Running } from "./Standing.ts"
import type { Underway } from "./TrainingEvent.ts"
import { CallbackFailed } from "./TrainingFailed.ts"

/** Hands a snapshot to whoever keeps them; none is taken of a state that is not finite. */
export const snapshot = Effect.fnUntraced(function* <E, R>({ run, session, standing }: Running<E, R>) {
  if (run.onSnapshot === undefined) return
  const state = yield* session.state
  if (state === undefined) return
  const { progress } = yield* Ref.get(standing)
  yield* hand(run, run.phase, { progress, state })
})

/** Hands over a snapshot that was taken. */
export const hand = <E, R>({ onSnapshot }: Pick<PhaseRun<E, R>, "onSnapshot">, { kind }: Phase, snapshot: Snapshot) =>
  onSnapshot === undefined
    ? Effect.void
    : calling(kind, "onSnapshot", snapshot.progress.step, () => onSnapshot(snapshot))

/** Runs what a run that ends otherwise than it should leaves; where that fails too, a warning says so. */
export const keep = <R>(leaving: Effect.Effect<unknown, unknown, R>): Effect.Effect<void, never, R> =>
  Effect.ignore(
    Effect.tapError(leaving, (error) => Effect.logWarning(`the last snapshot was not kept: ${inWords(error)}`))
  )

/** What an error says on one line; of those of the system, as that a disk is full, it is the cause that has words. */
const inWords = (error: unknown): string => {
  if (isPlatformError(error) && error.reason._tag !== "BadArgument" && error.reason.cause instanceof Error) {
    return `${error.reason.pathOrDescriptor}: ${error.reason.cause.message}`
  }
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!
}

/** Delivers pending events before a snapshot that includes them is taken, also on interruption. */
const hear = <E, R>({ run: { onEvent, phase }, standing }: Running<E, R>) =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const { untold } = yield* Ref.getAndUpdate(standing, (now) => ({ ...now, untold: [] }))
      const hearing = (event: Underway) =>
        onEvent === undefined ? Effect.void : calling(phase.kind, "onEvent", event.progress.step, () => onEvent(event))
      yield* Effect.forEach(untold, hearing, { discard: true })
      return untold
    })
  )

/** Delivers pending events, then takes a snapshot. */
export const lastSnapshot = <E, R>(running: Running<E, R>) => Effect.andThen(hear(running), snapshot(running))

/**
 * Tells what there is to tell, and ends the run where numbers were lost for good. Events are sent once state and progress agree again: a listener may
 * take long, and may end the run meanwhile.
 */
export const tell = Effect.fnUntraced(function* <E, R>(running: Running<E, R>) {
  // A failing listener ends the run, but none of the work is lost.
  const events = yield* Effect.tapError(hear(running), () => keep(snapshot(running)))
  yield* Effect.forEach(events, running.run.emit, { discard: true })
  const { failed, progress } = yield* Ref.get(running.standing)
  if (failed === undefined) return
  if (progress.held !== undefined) yield* snapshot(running)
  return yield* failed
})

/** Turns a callback that throws or returns no Effect into a failure of the run. */
const calling = <E, R>(
  phase: string,
  callback: CallbackFailed["callback"],
  step: number,
  call: () => Effect.Effect<void, E, R>
) => {
  const called = Effect.suspend(() => {
    const given: unknown = call()
    return Effect.isEffect(given) ? (given as Effect.Effect<void, E, R>) : Effect.die("it gave no Effect")
  })
  return Effect.catchDefect(called, (defect) => {
    const reason = String(defect).split("\n")[0]!
    return Effect.fail(new CallbackFailed({ callback, phase, step, reason }))
  })
}
