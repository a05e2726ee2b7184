/**
 * The protocol over HTTP/1.1 and, with TLS, also HTTP/2: the server handles the infer route itself and leaves all others to Effect's router.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2"
import type { Socket } from "node:net"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, type Duration, Effect, Layer } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { formatAddress, HttpServer } from "effect/http/HttpServer"
import type { Access } from "../Access.ts"
import { AddressUnavailable } from "../AddressUnavailable.ts"
import { DataPlane } from "../DataPlane.ts"
import * as Tls from "../Tls.ts"
import * as HttpWatch from "../watch/HttpWatch.ts"
import * as RequestObserver from "../watch/RequestObserver.ts"
import * as Gate from "./Gate.ts"
import * as Held from "./Held.ts"
import * as InferRoute from "./InferRoute.ts"
import * as Leaving from "./Leaving.ts"
import * as Limits from "./Limits.ts"
import * as Routes from "./Routes.ts"
import * as Send from "./Send.ts"
import * as Silent from "./Silent.ts"

/** Where to listen, and to whom. */
export interface Options {
  readonly host?: string | undefined
  /** 0 takes a free port. */
  readonly port?: number | undefined
  readonly tls?: Tls.Tls | undefined
  readonly access?: Access | undefined
  /** Origins whose pages may send requests, `*` for any; none unless set. */
  readonly cors?: ReadonlyArray<string> | undefined
  readonly limits?: Partial<Limits.Limits> | undefined
  /** How long running requests may take once the server stops listening; 5 s where it is not given. */
  readonly grace?: Duration.Input | undefined
}

const listening = (
  limits: Limits.Limits,
  tls: Tls.Tls | undefined,
  ServerResponse: Leaving.Leaving["Response"]
): Server | Http2SecureServer => {
  const timeouts = {
    connectionsCheckingInterval: 2_000,
    headersTimeout: limits.headersMillis,
    requestTimeout: limits.requestMillis
  }
  if (tls === undefined) {
    return createServer({
      ...timeouts,
      ServerResponse,
      maxHeaderSize: limits.headerBytes,
      keepAliveTimeout: limits.idleMillis
    })
  }
  const server = createSecureServer({
    ...timeouts,
    key: tls.key,
    cert: tls.certificate,
    ca: tls.clientAuthority,
    requestCert: tls.clientAuthority !== undefined,
    allowHTTP1: true,
    Http1ServerResponse: ServerResponse,
    minVersion: "TLSv1.2",
    settings: { maxHeaderListSize: limits.headerBytes, maxConcurrentStreams: 128 }
  })
  // A silent session is closed once its streams have ended.
  server.on("session", (session: ServerHttp2Session) => {
    session.setTimeout(limits.idleMillis, () => session.close())
  })
  return Object.assign(server, timeouts)
}

const refusals: Readonly<Record<string, readonly [status: string, reason: string]>> = {
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "the headers are over this server's limit"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ["413 Content Too Large", "the chunks' extensions are over this server's limit"],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "the request took longer than this server waits"]
}

// What is not HTTP never becomes a request: it is answered on the socket.
const refuseMalformed = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy()
  const [status, reason] = refusals[error.code ?? ""] ?? ["400 Bad Request", "this is no HTTP request; send one"]
  const body = JSON.stringify({ error: reason })
  const headers = `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close`
  socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`, () => socket.destroy())
}

type Take = (request: IncomingMessage, response: ServerResponse, continues: boolean) => boolean

// The absolute form, as sent to proxies, which any server has to accept (RFC 9112, 3.2.2); everything below reads a path.
const origin = /^https?:\/\/[^/?#]*/i

/**
 * Lets `take` have each request first; the rest go to the listeners. Listeners for upgrades are ignored: node would hand them a request that offers
 * an upgrade, past `take` and its token; without one, it is answered like any other request.
 */
const front = <S extends Server | Http2SecureServer>(server: S, take: Take): S => {
  const emit = server.emit.bind(server) as (event: string | symbol, ...rest: ReadonlyArray<unknown>) => boolean
  const fronted = (event: string | symbol, ...rest: ReadonlyArray<unknown>): boolean =>
    ((event === "request" || event === "checkContinue") &&
      take(rest[0] as IncomingMessage, rest[1] as ServerResponse, event === "checkContinue")) ||
    emit(event, ...rest)
  const on = server.on.bind(server) as (event: string | symbol, listener: (...args: Array<never>) => void) => S
  return Object.assign(server, {
    emit: fronted,
    on: (event: string | symbol, listener: (...args: Array<never>) => void) =>
      event === "upgrade" ? server : on(event, listener)
  })
}

/**
 * A listening server: `url` is its address, `http://127.0.0.1:8080`; after `leave`, each answer closes its connection, so that the next request goes
 * elsewhere.
 */
export class HttpTransport extends Context.Service<
  HttpTransport,
  { readonly url: string; readonly leave: Effect.Effect<void> }
>()("@rai/serving/http/HttpTransport") {
  /** Listens on 127.0.0.1:8080 until its scope closes. */
  static readonly layer = ({
    host = "127.0.0.1",
    port = 8080,
    tls,
    access = {},
    cors = [],
    limits: given = {},
    grace = "5 seconds"
  }: Options): Layer.Layer<HttpTransport, Tls.TlsInvalid | AddressUnavailable, DataPlane> =>
    Layer.unwrap(
      Effect.gen(function* () {
        yield* Tls.check(tls)
        yield* AddressUnavailable.checkPort(host, port)
        const plane = yield* DataPlane
        const context = yield* Effect.context<never>()
        const limits: Limits.Limits = { ...Limits.defaults, ...given }
        const onFault = (cause: unknown) =>
          Effect.runForkWith(context)(Effect.logError("a request met a fault of the server", cause))
        const observer = yield* RequestObserver.Current
        const watch = observer && HttpWatch.make(observer)
        const onAnswer = watch && HttpWatch.note
        const infer = InferRoute.make({ plane, limits, held: Held.make(limits.heldBytes), onAnswer, onFault })
        const leaving = Leaving.make()
        const leave = Effect.sync(leaving.leave)
        const take: Take = (request, response, continues) => {
          if (!request.url?.startsWith("/")) request.url = request.url?.replace(origin, "").replace(/^(?!\/)/, "/")
          watch?.(request, response)
          const stopped = Gate.stop({ access, cors }, request, response)
          if (stopped !== undefined) {
            Send.send(request, response, stopped, limits.idleMillis)
            return true
          }
          const model = request.method === "POST" ? InferRoute.modelOf(request.url ?? "") : undefined
          if (model === undefined) return false
          infer(model, request, response, continues)
          return true
        }
        const open = () => {
          const server = listening(limits, tls, leaving.Response)
          server.maxConnections = limits.connections
          server.on("clientError", refuseMalformed)
          const fronted = Silent.closing(front(server, take))
          return leaving.closing(fronted, tls === undefined ? "connection" : "secureConnection")
        }
        const server = NodeHttpServer.layerServer(open, { host, port, gracefulShutdownTimeout: grace }).pipe(
          Layer.catch(({ cause }) => Layer.effect(HttpServer, AddressUnavailable.because(host, port, cause)))
        )
        const routes = HttpRouter.serve(Routes.layer({ access, limits }), {
          disableLogger: true,
          disableListenLog: true,
          routerConfig: { ignoreDuplicateSlashes: false }
        })
        const running = Layer.effect(
          HttpTransport,
          HttpServer.use(({ address }) => {
            const url = formatAddress(address)
            return Effect.succeed(
              HttpTransport.of({ url: tls === undefined ? url : url.replace(/^http:/, "https:"), leave })
            )
          })
        )
        return running.pipe(
          Layer.provide(routes),
          Layer.provide(server),
          Layer.provide(NodeHttpServer.layerHttpServices),
          Layer.provide(Layer.succeed(DataPlane, plane))
        )
      })
    )
}
