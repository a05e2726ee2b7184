/**
 * TLS of a server: its key and certificate, and which clients it accepts.
 */
import { createSecureContext } from "node:tls"
import { Effect, Schema } from "effect"

/** A server's key and certificate as PEM; with `clientAuthority`, clients must present a certificate that it signed. */
export interface Tls {
  readonly key: string
  readonly certificate: string
  readonly clientAuthority?: string | undefined
}

/** A key or certificate that is not valid, or two that do not belong together. */
export class TlsInvalid extends Schema.TaggedError<TlsInvalid>()("TlsInvalid", { reason: Schema.String }) {
  override get message(): string {
    return `expected a key and a certificate as PEM that belong together, but ${this.reason}; give others`
  }
}

/** Fails with `TlsInvalid` where OpenSSL rejects the key or a certificate. */
export const check = (tls: Tls | undefined): Effect.Effect<void, TlsInvalid> =>
  Effect.try({
    try: () => {
      if (tls !== undefined) createSecureContext({ key: tls.key, cert: tls.certificate, ca: tls.clientAuthority })
    },
    catch: (cause) => new TlsInvalid({ reason: `OpenSSL says: ${cause instanceof Error ? cause.message : "no"}` })
  })
