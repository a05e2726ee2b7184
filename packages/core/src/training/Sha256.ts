/**
 * Fingerprints of bytes.
 */
import * as Pieces from "./Pieces.ts"

/** Returns the SHA-256 of the bytes in hexadecimal. */
export const hex = (bytes: Uint8Array): string => {
  // Loaded on demand: node takes about 5 ms to initialise it, and most users of this package write no checkpoint.
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256")
  for (const piece of Pieces.of(bytes)) hash.update(piece)
  return hash.digest("hex")
}
