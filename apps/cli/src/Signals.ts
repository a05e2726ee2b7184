/**
 * How signals end the program: the first interrupts it, so that a run is saved and a server answers what it has; a second kills it at once.
 */
import { Duration, Effect, Runtime } from "effect"

/** Time in ms within which signals count as one: what a terminal or a supervisor sends to all processes, npm and `Job` send on. */
const atOnce = 200

const told = new Set<Effect.Effect<void>>()

/** Runs a program; where a signal comes meanwhile, `tell` is run first. */
export const telling = <A, E, R>(program: Effect.Effect<A, E, R>, tell: Effect.Effect<void>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => void told.add(tell)),
    () => program,
    () => Effect.sync(() => void told.delete(tell))
  )

/** Runs the process's main program. SIGHUP, which a terminal sends when it closes, interrupts it as well. */
export const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  let isTold = false
  const interrupt = () => {
    // The default action of a second signal: a listener would wait for what computes. A terminal that closes hurries nobody.
    process.removeAllListeners("SIGINT").removeAllListeners("SIGTERM")
    fiber.interruptUnsafe(fiber.id)
  }
  const onSignal = () => {
    if (isTold) return
    isTold = true
    for (const tell of told) Effect.runSync(tell)
    setTimeout(interrupt, atOnce)
  }
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
  for (const signal of signals) process.on(signal, onSignal)
  fiber.addObserver((exit) => {
    for (const signal of signals) process.off(signal, onSignal)
    teardown(exit, (code) => {
      if (isTold || code !== 0) process.exit(code)
    })
  })
})

/** Runs a program until a signal interrupts it; the exit code is 0 once its resources are released, which may take the grace period. */
export const untilTold = <A, E, R>(program: Effect.Effect<A, E, R>, grace: Duration.Duration) => {
  const late = () => {
    const time = Duration.format(grace)
    process.stderr.write(
      `error: expected to end within ${time}, but requests still run; killed without their answers\n`
    )
    process.kill(process.pid, "SIGKILL")
  }
  const done = Effect.sync(() => {
    process.exitCode = 0
  })
  return telling(
    Effect.onInterrupt(program, () => done),
    Effect.sync(() => void setTimeout(late, Duration.toMillis(grace)).unref())
  )
}
