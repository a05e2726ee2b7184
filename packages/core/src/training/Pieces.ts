/**
 * Long byte arrays in chunks: neither file writes nor hashes accept more than 2 GiB at once.
 */

/** Bytes per chunk. */
const length = 2 ** 24

/** Returns views of the bytes, in chunks, without copying. */
export const of = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) => bytes.subarray(i * length, (i + 1) * length))
