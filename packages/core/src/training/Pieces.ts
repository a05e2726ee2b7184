/**
 * Long arrays of bytes a piece at a time: neither files nor hashes take more than 2 GiB at once.
 */

/** Bytes of a piece. */
const length = 2 ** 24

/** The same bytes, uncopied, in pieces. */
export const of = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) => bytes.subarray(i * length, (i + 1) * length))
