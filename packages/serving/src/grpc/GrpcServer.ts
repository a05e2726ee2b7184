/**
 * The server of grpc-js with all services: inference.GRPCInferenceService, grpc.health.v1 and server reflection.
 */
import { Server, ServerCredentials } from "@grpc/grpc-js"
import { type Duration, Effect, type Scope } from "effect"
import { AddressUnavailable } from "../AddressUnavailable.ts"
import { DataPlane } from "../DataPlane.ts"
import * as Tls from "../Tls.ts"
import * as GrpcWatch from "../watch/GrpcWatch.ts"
import * as RequestObserver from "../watch/RequestObserver.ts"
import * as Calls from "./Calls.ts"
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

const minute = 60_000

// A client that is gone without a word is found out by pings; one that asks nothing is let go, and connects again when it does.
const limits = {
  "grpc.max_send_message_length": -1,
  "grpc.max_concurrent_streams": 1000,
  "grpc.keepalive_time_ms": minute,
  "grpc.keepalive_timeout_ms": minute / 3,
  "grpc.max_connection_idle_ms": 10 * minute
}

const credentials = (tls: Tls.Tls | undefined): ServerCredentials => {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const { certificate, clientAuthority, key } = tls
  const pair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(key) }
  const mutual = clientAuthority !== undefined
  return ServerCredentials.createSsl(mutual ? Buffer.from(clientAuthority) : null, [pair], mutual)
}

// Not ready first, so that no more is sent here; then what is under way is answered and streams are ended; what is left after its grace is cut off.
const stop = (
  server: Server,
  calls: Calls.Calls,
  plane: DataPlane["Service"],
  grace: Duration.Input
): Effect.Effect<void> =>
  Effect.andThen(
    plane.drain,
    Effect.callback<void>((resume) => {
      server.tryShutdown(() => resume(Effect.void))
      for (const close of calls.open) close()
    })
  ).pipe(Effect.timeoutOrElse({ duration: grace, orElse: () => Effect.sync(() => server.forceShutdown()) }))

const listen = (server: Server, host: string, port: number, tls: Tls.Tls | undefined) =>
  Effect.callback<number, Error>((resume) => {
    server.bindAsync(`${host}:${port}`, credentials(tls), (error, bound) =>
      resume(error === null ? Effect.succeed(bound) : Effect.fail(error))
    )
  })

const described = [
  file_grpc_service,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
  file_grpc_reflection_v1alpha_reflection
]

/** Listens until the scope closes; gives the address. */
export const make = Effect.fnUntraced(function* ({
  host = "127.0.0.1",
  port = 8081,
  access = {},
  tls,
  maxBodyBytes = 64 * 1024 * 1024,
  grace = "5 seconds"
}: Options): Effect.fn.Return<string, Tls.TlsInvalid | AddressUnavailable, DataPlane | Scope.Scope> {
  yield* Tls.check(tls)
  const plane = yield* DataPlane
  const calls: Calls.Calls = { access, run: Effect.runForkWith(yield* Effect.context()), open: new Set() }
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => new Server({ ...limits, "grpc.max_receive_message_length": maxBodyBytes })),
    (server) => stop(server, calls, plane, grace)
  )
  const inference = yield* InferenceService.implementation(calls, plane)
  const health = Health.implementation(calls, plane, [GRPCInferenceService.typeName])
  const reflection = Reflection.implementation(calls, described)
  const observer = yield* RequestObserver.Current
  const watched = observer === undefined ? inference : GrpcWatch.make(observer, inference)
  server.addService(Calls.definition(GRPCInferenceService), watched)
  server.addService(Calls.definition(HealthService), health)
  server.addService(Calls.definition(ServerReflection), reflection.v1)
  server.addService(Calls.definition(ServerReflectionAlpha), reflection.v1alpha)
  const name = host.includes(":") ? `[${host}]` : host
  const bound = yield* listen(server, name, port, tls).pipe(
    Effect.mapError((cause) => AddressUnavailable.because(host, port, cause))
  )
  return `${name}:${bound}`
})
