/**
 * Connections that nobody needs: a client that is gone without a word is found out by pings; one that asks nothing is let go, and connects again when
 * it does.
 */
import type { Http2Session } from "node:http2"

interface State {
  /** When it last had a call, and when it was last heard or asked whether it is there. */
  busy: number
  asked: number
  waits: boolean
}

/** Those that are open. */
export type Connections = Map<Http2Session, State>

const minute = 60_000
const idle = 10 * minute
const pause = minute
const patience = minute / 3

/** Takes in a new one, until it closes. */
export const add = (connections: Connections, session: Http2Session): void => {
  const now = performance.now()
  connections.set(session, { busy: now, asked: now, waits: false })
  session.on("close", () => connections.delete(session))
}

/** Looks at the time; `busy` are those that have a call. */
export const sweep = (connections: Connections, busy: ReadonlySet<Http2Session | undefined>, now: number): void => {
  for (const [session, state] of connections) {
    if (busy.has(session)) state.busy = now
    if (session.destroyed) connections.delete(session)
    else if (state.waits && now - state.asked > patience) session.destroy()
    else if (now - state.busy > idle) session.close()
    else if (!state.waits && now - state.asked > pause) {
      Object.assign(state, { asked: now, waits: true })
      session.ping(() => {
        state.waits = false
      })
    }
  }
}
