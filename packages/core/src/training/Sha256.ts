/**
 * Fingerprints of bytes.
 */
import { createHash } from "node:crypto"
import * as Pieces from "./Pieces.ts"

/** The SHA-256 of the bytes in hexadecimal. */
export const hex = (bytes: Uint8Array): string => {
  const hash = createHash("sha256")
  for (const piece of Pieces.of(bytes)) hash.update(piece)
  return hash.digest("hex")
}
