/**
 * Waiting for what a test has caused, however busy the machine is; the test's own time limit bounds it.
 */
import { Effect } from "effect"

/** Waits until something holds. */
export const until = Effect.fnUntraced(function* (holds: () => boolean) {
  while (!holds()) yield* Effect.sleep("5 millis")
})
