/**
 * The data plane over gRPC, on a port of its own, together with health and reflection.
 */
import { Context, type Duration, Effect, Layer } from "effect"
import type { Access } from "../Access.ts"
import type { AddressUnavailable } from "../AddressUnavailable.ts"
import type { DataPlane } from "../DataPlane.ts"
import type { Limits } from "../http/Limits.ts"
import type { Tls, TlsInvalid } from "../Tls.ts"

/** Where to listen, and for whom; port 0 takes a free one. */
export interface Options {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly access?: Access | undefined
  readonly tls?: Tls | undefined
  /** The same limits as for HTTP; a body is a message here. */
  readonly limits?: Partial<Limits> | undefined
  /** How long running calls may take once the server is told to stop; 5 s where it is not given. */
  readonly grace?: Duration.Input | undefined
}

/** A listening server; `address` is where, such as `127.0.0.1:8081`. */
export class GrpcTransport extends Context.Service<GrpcTransport, { readonly address: string }>()(
  "@rai/serving/grpc/GrpcTransport"
) {
  /** Listens on 127.0.0.1:8081 until its scope closes; then running calls are answered, and streams are ended. */
  static readonly layer = (
    options: Options = {}
  ): Layer.Layer<GrpcTransport, TlsInvalid | AddressUnavailable, DataPlane> =>
    Layer.effect(
      GrpcTransport,
      // The message descriptions take a tenth of a second to load, which a server of HTTP alone should not wait for.
      Effect.promise(() => import("./GrpcServer.ts")).pipe(
        Effect.flatMap(({ make }) => make(options)),
        Effect.map((address) => GrpcTransport.of({ address }))
      )
    )
}
