/**
 * What one client, or all of them together, may ask of a transport; of gRPC, a body is a message.
 */

/** The bounds; each has a default that holds where nothing is said. */
export interface Limits {
  /** Of a body as it arrives. */
  readonly bodyBytes: number
  /** Of a body once its gzip or deflate is undone. */
  readonly decompressedBytes: number
  /** Of all bodies that are held at one time, from whatever client; beyond them the client that holds most gives way. */
  readonly heldBytes: number
  readonly headerBytes: number
  readonly jsonDepth: number
  /** Arrays and objects in one JSON text, and parts of one message: each costs far more memory than the text that asks for it. */
  readonly jsonArrays: number
  /** Names in its objects, for the same reason. */
  readonly jsonKeys: number
  /** Numbers and texts in one tensor that comes as JSON, and numbers in the lists of one message. */
  readonly jsonElements: number
  readonly connections: number
  /** How long a client may take for its headers, for its whole request, and to be silent between requests or while it reads its answer. */
  readonly headersMillis: number
  readonly requestMillis: number
  readonly idleMillis: number
}

const MiB = 1024 * 1024

/** Triton's 64 MiB of body and depth of 100, and the rest beside them. */
export const defaults: Limits = {
  bodyBytes: 64 * MiB,
  decompressedBytes: 64 * MiB,
  heldBytes: 512 * MiB,
  headerBytes: 16 * 1024,
  jsonDepth: 100,
  jsonArrays: 1_000_000,
  jsonKeys: 100_000,
  jsonElements: 16 * MiB,
  connections: 4096,
  headersMillis: 20_000,
  requestMillis: 120_000,
  idleMillis: 75_000
}
