/**
 * Fingerprints of bytes and text.
 */
import * as Pieces from "./Pieces.ts"

/** Returns the SHA-256, in hexadecimal, of bytes or text, one part after the other. */
export const hex = (...parts: ReadonlyArray<Uint8Array | string>): string => {
  // Loaded on demand: node takes about 5 ms to initialise it, and most users of this package write no checkpoint.
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256")
  for (const part of parts) {
    if (typeof part === "string") hash.update(part)
    else for (const piece of Pieces.of(part)) hash.update(piece)
  }
  return hash.digest("hex")
}
