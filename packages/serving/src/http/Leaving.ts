/**
 * How an HTTP server goes: over HTTP/1.1, each answer from then on closes its connection, also to requests that came before; requests that stay half
 * sent are not waited for.
 */
import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from "node:http"
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2"
import type { Server, Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import * as HalfSent from "./HalfSent.ts"

type Headers = OutgoingHttpHeaders | Array<OutgoingHttpHeader>

// The client has sent the stream's request whole.
const isWhole = constants.NGHTTP2_STREAM_STATE_HALF_CLOSED_REMOTE

/** What one server needs to go. */
export interface Leaving {
  /** The class of its responses over HTTP/1.1. */
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

  const ofSockets: HalfSent.Look<Socket> = {
    bytesRead: ({ bytesRead }) => bytesRead,
    isAnswered: (socket) =>
      [...(pending.get(socket) ?? [])].some(({ req, writableFinished }) => req.complete && !writableFinished),
    giveUp: (socket) => socket.destroy()
  }

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
      const sessions = new Map<ServerHttp2Session, Set<ServerHttp2Stream>>()
      server.on("session", (session: ServerHttp2Session) => {
        const streams = new Set<ServerHttp2Stream>()
        sessions.set(session, streams)
        session.once("close", () => sessions.delete(session))
        session.on("stream", (stream) => {
          streams.add(stream)
          stream.once("close", () => streams.delete(stream))
        })
      })
      const streamsOf = (session: ServerHttp2Session) => [...(sessions.get(session) ?? [])]
      const ofSessions: HalfSent.Look<ServerHttp2Session> = {
        bytesRead: HalfSent.ofSession,
        isAnswered: (session) => streamsOf(session).some(({ state }) => state.state === isWhole),
        giveUp: (session) => {
          for (const stream of streamsOf(session)) {
            // With this code, a client knows that it may send the request again (RFC 9113, 8.7).
            stream.close(stream.headersSent ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_REFUSED_STREAM)
            stream.destroy()
          }
        }
      }
      const close = server.close.bind(server)
      return Object.assign(server, {
        close: (ended?: (error?: Error) => void): S => {
          const looks = [HalfSent.watch(() => sockets, ofSockets), HalfSent.watch(() => sessions.keys(), ofSessions)]
          close((error) => {
            for (const end of looks) end()
            ended?.(error)
          })
          return server
        }
      })
    }
  }
}
