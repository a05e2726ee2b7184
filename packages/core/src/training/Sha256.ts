/**
 * Fingerprints of bytes.
 */
import { Effect } from "effect"

/** The SHA-256 of the bytes in hexadecimal. */
export const hex = (bytes: Uint8Array): Effect.Effect<string> =>
  Effect.map(
    Effect.promise(() => globalThis.crypto.subtle.digest("SHA-256", Uint8Array.from(bytes))),
    (digest) => Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
  )
