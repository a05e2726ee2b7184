/**
 * How a program that goes on until it is told to stop is told: the first SIGTERM or SIGINT lets it end in its own way, with exit code 0; a second
 * one, or the end of its time, ends it at once.
 */
import { Duration, Effect } from "effect"

/** Runs a program that a signal interrupts; the exit code is 0 once what it holds is given back. */
export const untilTold = <A, E, R>(
  program: Effect.Effect<A, E, R>,
  grace: Duration.Duration
): Effect.Effect<A, E, R> => {
  const listen = Effect.sync(() => {
    let told = false
    const onSignal = () => {
      if (told) process.exit(130)
      told = true
      setTimeout(() => {
        process.stderr.write(
          `error: expected to end within ${Duration.format(grace)}, but requests still run; ended without their answers\n`
        )
        process.exit(1)
      }, Duration.toMillis(grace)).unref()
    }
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal)
    return onSignal
  })
  const ended = Effect.onInterrupt(program, () =>
    Effect.sync(() => {
      process.exitCode = 0
    })
  )
  return Effect.acquireUseRelease(
    listen,
    () => ended,
    (onSignal) => Effect.sync(() => process.off("SIGINT", onSignal).off("SIGTERM", onSignal))
  )
}
