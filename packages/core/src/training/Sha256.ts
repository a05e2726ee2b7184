/**
 * Fingerprints of bytes.
 */
import * as Pieces from "./Pieces.ts"

/** The SHA-256 of the bytes in hexadecimal. */
export const hex = (bytes: Uint8Array): string => {
  // Not imported: node takes some 5 ms to make it ready, and most who import this package write no checkpoint.
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256")
  for (const piece of Pieces.of(bytes)) hash.update(piece)
  return hash.digest("hex")
}
