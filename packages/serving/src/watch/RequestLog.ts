/**
 * Log lines for the requests worth one: those that failed through the server's fault, slow ones, and all if asked for.
 */
import { Effect } from "effect"
import type { RequestObserver } from "./RequestObserver.ts"

/** Which requests get a line. */
export interface Options {
  /** Every request, as an access log. */
  readonly all?: boolean | undefined
  /** Milliseconds after which a request counts as slow; 1000 where it is not given. */
  readonly slowMillis?: number | undefined
}

/** A client's text made safe for a log line: characters that start a new line or steer a terminal are escaped by number. */
const plain = (text: string | undefined): string | undefined =>
  text?.replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** Maximum number of lines per second, unless all are asked for: an overloaded server has better to do. */
const most = 10

/** Makes an observer that writes to the context's logger. */
export const make = ({ all = false, slowMillis = 1000 }: Options = {}): Effect.Effect<RequestObserver> =>
  Effect.map(Effect.context(), (context) => {
    const run = Effect.runForkWith(context)
    let [second, lines, unwritten] = [0, 0, 0]
    /** Whether this second has room for another line. */
    const hasRoom = (now: number): boolean => {
      const current = Math.floor(now / 1000)
      if (current !== second) [second, lines] = [current, 0]
      lines += 1
      if (lines <= most) return true
      unwritten += 1
      return false
    }
    return ({ model, operation, protocol, requestId }) => {
      const began = performance.now()
      return ({ cancelled = false, fault, rows, status, version }) => {
        const now = performance.now()
        const millis = now - began
        const slow = millis > slowMillis
        if (!all && ((!slow && !fault) || !hasRoom(now))) return
        const what = cancelled ? "was taken back" : fault ? "failed" : slow ? "was slow" : "was answered"
        const facts = {
          protocol,
          operation,
          model: plain(model),
          version: plain(version),
          status,
          rows,
          millis: Math.round(millis * 1000) / 1000,
          requestId,
          /** Number of lines left out before this one. */
          withoutLine: unwritten === 0 ? undefined : unwritten
        }
        unwritten = 0
        // Unknown facts are left out of the line.
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
