/**
 * How a failed command ends: one line on stderr and an exit code.
 */
import { Cause, Console, Effect, Exit, PlatformError, type Runtime } from "effect"
import { CliError } from "effect/cli"
import * as SystemRefusal from "./SystemRefusal.ts"
import { UsageWrong } from "./UsageWrong.ts"

/** Prints a failure on one line: its message, or, for a defect, that the program itself is at fault. */
export const report = <A, E, R>(command: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tapCause(command, (cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.void
    const error = Cause.squash(cause)
    // The command-line parser has already explained wrong usage.
    if (CliError.isCliError(error)) return Effect.void
    return Effect.andThen(Console.error(`error: ${line(cause, error)}`), Effect.logDebug(cause))
  })

/** Why it failed, on one line. */
export const line = (cause: Cause.Cause<unknown>, error: unknown): string => {
  if (PlatformError.isPlatformError(error) && !Cause.hasDies(cause)) return SystemRefusal.line(error)
  if (error instanceof RangeError && /allocation failed|invalid (typed )?array length/i.test(error.message)) {
    return `expected as much memory as this takes, but the system gave none (${error.message}); use a smaller circuit, batches or fewer examples`
  }
  const message = (error instanceof Error ? error.message : String(error)).split("\n")[0]!
  return Cause.hasDies(cause)
    ? `a fault of this program, not of what you gave it: ${message}; run it with --log-level debug and report what it prints`
    : message
}

/** Sets the exit code: 0 for success, 1 for a failure, 2 for wrong usage, 130 for an interrupt unless the command has set another code. */
export const teardown: Runtime.Teardown = (exit, onExit) => {
  if (Exit.isSuccess(exit)) return onExit(0)
  if (Cause.hasInterruptsOnly(exit.cause)) return onExit(Number(process.exitCode ?? 130))
  const error = Cause.squash(exit.cause)
  onExit(CliError.isCliError(error) || error instanceof UsageWrong ? 2 : 1)
}
