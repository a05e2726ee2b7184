/**
 * Requests that are half sent when a server closes: once nothing more comes on a connection, and nothing that came is still being answered, they are
 * given up.
 */
import type { Http2Session } from "node:http2"

/** Milliseconds without a byte after which a request that is half sent is given up. */
const patience = 1_000

/** How to look at a connection, and how to end it. */
export interface Look<Connection> {
  readonly bytesRead: (connection: Connection) => number
  /** Whether its client waits for an answer to what it has sent whole. */
  readonly isAnswered: (connection: Connection) => boolean
  readonly giveUp: (connection: Connection) => void
}

/** Bytes that came in a session of HTTP/2, which has no socket once it is closed here, though its client has not closed it yet. */
export const ofSession = ({ socket }: { readonly socket: Http2Session["socket"] | undefined }): number =>
  socket?.bytesRead ?? 0

/** Gives up what is half sent on the connections that are open, until the returned function is called. */
export const watch = <Connection extends object>(
  open: () => Iterable<Connection>,
  { bytesRead, giveUp, isAnswered }: Look<Connection>
): (() => void) => {
  const received = new WeakMap<Connection, number>()
  const look = setInterval(() => {
    for (const connection of open()) {
      if (isAnswered(connection)) continue
      const bytes = bytesRead(connection)
      if (received.get(connection) === bytes) giveUp(connection)
      received.set(connection, bytes)
    }
  }, patience)
  return () => clearInterval(look)
}
