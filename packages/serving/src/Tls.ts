/**
 * What a server shows its clients so that they talk to it encrypted, and whom it lets in.
 */

/** PEM texts, not paths; with `clientCa` only clients with a certificate of that authority are served (mTLS). */
export interface Tls {
  readonly cert: string
  readonly key: string
  readonly clientCa?: string | undefined
}
