/**
 * Graceful shutdown of a long-running program: the first SIGTERM or SIGINT lets it finish, with exit code 0; a second signal, or the end of the
 * grace period, kills it at once.
 */
import { Duration, Effect } from "effect"

// The signal's default action, as without a listener: process.exit would wait for threads that compute.
const endBy = (signal: NodeJS.Signals): void => {
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}

/** Runs a program until a signal interrupts it; the exit code is 0 once its resources are released. */
export const untilTold = <A, E, R>(program: Effect.Effect<A, E, R>, grace: Duration.Duration) => {
  const listen = Effect.sync(() => {
    let told = false
    const onSignal = (signal: NodeJS.Signals) => {
      if (told) return endBy(signal)
      told = true
      const late = () => {
        const time = Duration.format(grace)
        process.stderr.write(
          `error: expected to end within ${time}, but requests still run; killed without their answers\n`
        )
        endBy("SIGKILL")
      }
      setTimeout(late, Duration.toMillis(grace)).unref()
    }
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal)
    return onSignal
  })
  const done = Effect.sync(() => {
    process.exitCode = 0
  })
  return Effect.acquireUseRelease(
    listen,
    () => Effect.onInterrupt(program, () => done),
    (onSignal) => Effect.sync(() => process.off("SIGINT", onSignal).off("SIGTERM", onSignal))
  )
}
