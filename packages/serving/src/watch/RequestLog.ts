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

/** What a client says as it may stand in a line: characters that begin another, or steer a terminal, by their numbers. */
const plain = (text: string | undefined): string | undefined =>
  text?.replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** Lines a second, unless all are asked for: a server that is overloaded has better to do. */
const most = 10

/** An observer that writes to the logger that the context has. */
export const make = ({ all = false, slowMillis = 1000 }: Options = {}): Effect.Effect<RequestObserver> =>
  Effect.map(Effect.context(), (context) => {
    const run = Effect.runForkWith(context)
    let [second, lines, unwritten] = [0, 0, 0]
    /** Whether this second has a line left. */
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
          /** Of those before it. */
          withoutLine: unwritten === 0 ? undefined : unwritten
        }
        unwritten = 0
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
