/**
 * Connections on which the client has sent nothing yet. Node takes them for busy, and a server that closes would wait for their first request.
 */
import type { Server, Socket } from "node:net"

/** Milliseconds that such a connection is given yet. */
const patience = 100

/** Lets a server drop them when it closes. */
export const closing = <S extends Server>(server: S): S => {
  const sockets = new Set<Socket>()
  const add = (socket: Socket): void => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  }
  server.on("connection", add).on("secureConnection", add)
  const close = server.close.bind(server)
  return Object.assign(server, {
    close: (ended?: (error?: Error) => void): S => {
      close(ended)
      const drop = () => {
        for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
      }
      // A request may be on its way to a connection that has just been made.
      setTimeout(drop, patience)
      return server
    }
  })
}
