/**
 * How an HTTP/1.1 server goes: each answer from then on closes its connection, also to requests that came before, and requests that stay half sent are
 * not waited for.
 */
import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from "node:http"
import type { Server, Socket } from "node:net"
import type { TLSSocket } from "node:tls"

type Headers = OutgoingHttpHeaders | Array<OutgoingHttpHeader>

/** Milliseconds without a byte after which a request that is half sent is given up. */
const patience = 1_000

/** What one server needs to go. */
export interface Leaving {
  /** The class of its responses. */
  readonly Response: typeof ServerResponse
  readonly leave: () => void
  /** Lets a server drop half-sent requests when it closes; `event` is what tells of the connections that speak HTTP. */
  readonly closing: <S extends Server>(server: S, event: "connection" | "secureConnection") => S
}

/** Makes what one server needs to go. */
export const make = (): Leaving => {
  let leaving = false
  /** The responses on each connection that are not finished: behind one whose request is being computed, another may be half sent. */
  const pending = new WeakMap<Socket, Set<ServerResponse>>()

  class Response<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
    constructor(...of: ConstructorParameters<typeof ServerResponse<Request>>) {
      super(...of)
      const { socket } = this.req
      const others = pending.get(socket) ?? new Set()
      pending.set(socket, others.add(this))
      this.once("close", () => others.delete(this))
    }
    override writeHead(status: number, message?: string, headers?: Headers): this
    override writeHead(status: number, headers?: Headers): this
    override writeHead(status: number, ...rest: ReadonlyArray<unknown>): this {
      if (leaving) this.shouldKeepAlive = false
      return super.writeHead(status, ...(rest as [string?, Headers?]))
    }
  }

  const isAnswered = (socket: Socket): boolean =>
    [...(pending.get(socket) ?? [])].some(({ req, writableFinished }) => req.complete && !writableFinished)

  return {
    Response,
    leave: (): void => {
      leaving = true
    },
    closing: <S extends Server>(server: S, event: "connection" | "secureConnection"): S => {
      const sockets = new Set<Socket>()
      server.on(event, (socket: Socket & Partial<Pick<TLSSocket, "alpnProtocol">>) => {
        if (socket.alpnProtocol === "h2") return
        sockets.add(socket)
        socket.once("close", () => sockets.delete(socket))
      })
      const close = server.close.bind(server)
      return Object.assign(server, {
        close: (ended?: (error?: Error) => void): S => {
          const received = new Map<Socket, number>()
          const look = setInterval(() => {
            for (const socket of sockets) {
              if (isAnswered(socket)) continue
              if (received.get(socket) === socket.bytesRead) socket.destroy()
              received.set(socket, socket.bytesRead)
            }
          }, patience)
          close((error) => {
            clearInterval(look)
            ended?.(error)
          })
          return server
        }
      })
    }
  }
}
