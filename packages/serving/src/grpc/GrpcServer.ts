/**
 * The HTTP/2 server of all gRPC services: inference.GRPCInferenceService, grpc.health.v1 and server reflection.
 */
import {
  constants,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream
} from "node:http2"
import type { AddressInfo } from "node:net"
import { type Duration, Effect, Schedule, type Scope } from "effect"
import * as Access from "../Access.ts"
import { AddressUnavailable } from "../AddressUnavailable.ts"
import { DataPlane } from "../DataPlane.ts"
import * as HalfSent from "../http/HalfSent.ts"
import * as Held from "../http/Held.ts"
import * as Limits from "../http/Limits.ts"
import * as Silent from "../http/Silent.ts"
import * as Tls from "../Tls.ts"
import * as RequestId from "../watch/RequestId.ts"
import * as RequestObserver from "../watch/RequestObserver.ts"
import { Call, type Method, type Shared } from "./Call.ts"
import * as Calls from "./Calls.ts"
import * as Connections from "./Connections.ts"
import type { Options } from "./GrpcTransport.ts"
import { file_grpc_service, GRPCInferenceService } from "./grpc_service_pb.ts"
import * as Health from "./Health.ts"
import { file_grpc_health_v1_health, Health as HealthService } from "./health_pb.ts"
import * as InferenceService from "./InferenceService.ts"
import * as Reflection from "./Reflection.ts"
import { file_grpc_reflection_v1_reflection, ServerReflection } from "./reflection_pb.ts"
import {
  file_grpc_reflection_v1alpha_reflection,
  ServerReflection as ServerReflectionAlpha
} from "./reflection_v1alpha_pb.ts"
import * as Status from "./Status.ts"

type Server = Http2Server | Http2SecureServer

// A client sends all its requests on one connection.
const maxConcurrentStreams = 1000

const MiB = 1024 * 1024

const open = (limits: Limits.Limits, tls: Tls.Tls | undefined): Server => {
  const options = {
    settings: { maxConcurrentStreams, maxHeaderListSize: limits.headerBytes, enablePush: false },
    // Node's own 10 MiB would refuse streams beside one large answer; what calls hold is counted in `Held`.
    maxSessionMemory: Math.ceil(limits.heldBytes / MiB)
  }
  if (tls === undefined) return createServer(options)
  return createSecureServer({
    ...options,
    key: tls.key,
    cert: tls.certificate,
    ca: tls.clientAuthority,
    requestCert: tls.clientAuthority !== undefined,
    minVersion: "TLSv1.2",
    handshakeTimeout: limits.headersMillis
  })
}

const listen = (server: Server, host: string, port: number) =>
  Effect.callback<number, Error>((resume) => {
    const failed = (error: Error) => resume(Effect.fail(error))
    server.once("error", failed)
    server.listen(port, host, () => {
      server.off("error", failed)
      resume(Effect.succeed((server.address() as AddressInfo).port))
    })
  })

// Not ready first, so that no more requests are sent here; then running calls are answered and streams ended, and calls that stay half sent are given
// up; what is left after `grace` is cut off.
const stop = (
  server: Server,
  connections: Connections.Connections,
  calls: ReadonlyArray<Call>,
  plane: DataPlane["Service"],
  grace: Duration.Input
): Effect.Effect<void> =>
  Effect.andThen(
    plane.drain,
    Effect.callback<void>((resume) => {
      const of = (session: Http2Session) => calls.filter((call) => call.session === session)
      const end = HalfSent.watch(() => connections.keys(), {
        bytesRead: HalfSent.ofSession,
        isAnswered: (session) => of(session).some(({ isAnswered }) => isAnswered),
        giveUp: (session) => {
          for (const call of of(session)) call.giveUp()
        }
      })
      server.close(() => {
        end()
        resume(Effect.void)
      })
      for (const session of connections.keys()) session.close()
      for (const call of [...calls]) call.stop()
      return Effect.sync(end)
    })
  ).pipe(
    Effect.timeoutOrElse({
      duration: grace,
      orElse: () =>
        Effect.sync(() => {
          server.close()
          for (const session of connections.keys()) session.destroy()
        })
    })
  )

const described = [
  file_grpc_service,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
  file_grpc_reflection_v1alpha_reflection
]

/** Listens until the scope closes; returns the address. */
export const make = Effect.fnUntraced(function* ({
  host = "127.0.0.1",
  port = 8081,
  access = {},
  tls,
  limits: given = {},
  grace = "5 seconds"
}: Options): Effect.fn.Return<string, Tls.TlsInvalid | AddressUnavailable, DataPlane | Scope.Scope> {
  yield* Tls.check(tls)
  yield* AddressUnavailable.checkPort(host, port)
  const plane = yield* DataPlane
  const run = Effect.runForkWith(yield* Effect.context())
  const onFault = (cause: unknown) => {
    run(Effect.logError("a call met a fault of the server", cause))
  }
  const limits: Limits.Limits = { ...Limits.defaults, ...given }
  const observer = yield* RequestObserver.Current
  const reflection = Reflection.methods(described)
  const methods: ReadonlyMap<string, Method> = new Map([
    ...Calls.paths(GRPCInferenceService, InferenceService.methods(run, plane, observer)),
    ...Calls.paths(HealthService, Health.methods(run, plane, [GRPCInferenceService.typeName])),
    ...Calls.paths(ServerReflection, reflection.v1),
    ...Calls.paths(ServerReflectionAlpha, reflection.v1alpha)
  ])
  const calls: Array<Call> = []
  const shared: Shared = { limits, held: Held.make(limits.heldBytes), open: calls, onFault }

  const take = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    if (stream.destroyed) return
    if (headers[":method"] !== "POST" || !headers["content-type"]?.startsWith("application/grpc")) {
      stream.on("error", () => {}).resume()
      stream.respond({ ":status": 415 }, { endStream: true })
      // No `Call` looks after this stream: it ends here, whether or not its client ends it.
      setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR))
      return
    }
    const method = methods.get(headers[":path"] ?? "")
    const id = observer && RequestId.of(headers["x-request-id"])
    const call = new Call(shared, stream, headers, method, id)
    if (method === undefined) return call.end(Status.unimplemented)
    // Before any byte of a message is held.
    const refused = method.route === "probe" ? undefined : Access.refusal(access, method.route, headers.authorization)
    if (refused !== undefined) return call.end(Status.failure(refused))
    if (Held.isOver(shared.held)) return call.end(Status.busy)
    call.serve()
  }

  const connections: Connections.Connections = new Map()
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => Silent.closing(open(limits, tls))),
    (server) => stop(server, connections, calls, plane, grace)
  )
  server.maxConnections = limits.connections
  server.on("session", (session: ServerHttp2Session) => Connections.add(connections, session))
  server.on("stream", take)
  const name = host.includes(":") ? `[${host}]` : host
  const bound = yield* listen(server, host, port).pipe(
    Effect.mapError((cause) => AddressUnavailable.because(host, port, cause))
  )
  server.on("error", onFault)
  const sweep = Effect.sync(() => {
    const now = performance.now()
    for (const call of [...calls]) call.sweep(now)
    Connections.sweep(connections, new Set(calls.map(({ session }) => session)), now)
  })
  yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced("1 second")))
  return `${name}:${bound}`
})
