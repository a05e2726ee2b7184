/**
 * Requests that are worth a line of the log: those that failed by the server's fault, those that took long, and all where that is asked for.
 */
import { Effect } from "effect"
import type { RequestObserver } from "./RequestObserver.ts"

/** What gets a line. */
export interface Options {
  /** Every request, as an access log. */
  readonly all?: boolean | undefined
  /** Those that took longer; 1000 where it is not given. */
  readonly slowMillis?: number | undefined
}

/** An observer that writes to the logger that the context has. */
export const make = ({ all = false, slowMillis = 1000 }: Options = {}): Effect.Effect<RequestObserver> =>
  Effect.map(Effect.context(), (context) => {
    const run = Effect.runForkWith(context)
    return ({ model, operation, protocol, requestId }) => {
      const began = performance.now()
      return ({ cancelled = false, fault, rows, status, version }) => {
        const millis = performance.now() - began
        const slow = millis > slowMillis
        if (!all && !slow && !fault) return
        const what = cancelled ? "was taken back" : fault ? "failed" : slow ? "was slow" : "was answered"
        const facts = {
          protocol,
          operation,
          model,
          version,
          status,
          rows,
          millis: Math.round(millis * 1000) / 1000,
          requestId
        }
        // What is not known has no place in the line.
        const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
        const line = `a request ${what}`
        run(
          Effect.annotateLogs(
            fault ? Effect.logError(line) : slow ? Effect.logWarning(line) : Effect.logInfo(line),
            known
          )
        )
      }
    }
  })
