/**
 * What one client, or all of them together, may ask of a transport; in gRPC, a body is a message.
 */

/** The limits; each has a default. */
export interface Limits {
  /** Maximum number of bytes in a body as it arrives. */
  readonly bodyBytes: number
  /** Maximum number of bytes in a body once it is decompressed. */
  readonly decompressedBytes: number
  /** Maximum number of bytes in all bodies held at one time, whoever sent them; beyond it the client that holds most gives way. */
  readonly heldBytes: number
  readonly headerBytes: number
  readonly jsonDepth: number
  /** Maximum number of arrays and objects in a JSON text, and of parts in a message: each costs far more memory than the text that asks for it. */
  readonly jsonArrays: number
  /** Maximum number of names in a JSON text's objects, for the same reason. */
  readonly jsonKeys: number
  /** Maximum number of elements in a JSON tensor, and of numbers in a message's lists. */
  readonly jsonElements: number
  readonly connections: number
  /** How long a client may take for its headers, for its whole request, and may be silent between requests or while it reads its answer. */
  readonly headersMillis: number
  readonly requestMillis: number
  readonly idleMillis: number
}

const MiB = 1024 * 1024

/** Triton's 64 MiB per body and depth of 100; the rest to match. */
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
