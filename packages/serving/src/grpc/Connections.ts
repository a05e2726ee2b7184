/**
 * Closes connections that nobody needs: a client that vanished is found by pings; an idle one is let go, and reconnects when it has something to ask.
 */
import type { Http2Session } from "node:http2"

interface State {
  /** When it last had a call, and when it was opened or last pinged. */
  busy: number
  asked: number
  waits: boolean
}

/** The connections that are open. */
export type Connections = Map<Http2Session, State>

const minute = 60_000
const idle = 10 * minute
const pause = minute
const patience = minute / 3

/** Adds a new connection, until it closes. */
export const add = (connections: Connections, session: Http2Session): void => {
  const now = performance.now()
  connections.set(session, { busy: now, asked: now, waits: false })
  session.on("close", () => connections.delete(session))
}

/** Checks the time and pings or closes connections; `busy` are those that have a call. */
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
