/**
 * gzip and deflate, in both directions and bounded.
 */
import { createGunzip, createInflate, deflate, gzip } from "node:zlib"
import { Result } from "effect"
import { BodyTooLarge, RequestInvalid } from "../RequestError.ts"

/** A coding that this server reads and writes; `deflate` is the zlib format, as in RFC 9110. */
export type Coding = "gzip" | "deflate"

/** The codings that a client may be told to send. */
export const codings = "gzip, deflate"

/** The coding of a body: undefined for none, "unknown" for one that this server does not read and for several. */
export const ofBody = (contentEncoding: string | undefined): Coding | "unknown" | undefined => {
  const name = contentEncoding?.trim().toLowerCase() ?? ""
  if (name === "" || name === "identity") return undefined
  return name === "gzip" || name === "x-gzip" ? "gzip" : name === "deflate" ? "deflate" : "unknown"
}

/** The coding of an answer to a client with this Accept-Encoding; undefined for none. */
export const accepted = (acceptEncoding: string): Coding | undefined => {
  const refused = new Set<string>()
  const wanted = new Set<string>()
  for (const item of acceptEncoding.toLowerCase().split(",")) {
    const [name = "", ...weights] = item.split(";").map((part) => part.trim())
    const zero = weights.some((weight) => /^q\s*=\s*0(?:\.0*)?$/.test(weight))
    ;(zero ? refused : wanted).add(name)
  }
  for (const coding of ["gzip", "deflate"] as const) {
    if (wanted.has(coding) || (wanted.has("*") && !refused.has(coding))) return coding
  }
  return undefined
}

/**
 * Decompresses a body; one that grows past the limit is refused without being kept. `grown` is called with the bytes as they appear, because a body
 * may expand a thousandfold and fill memory long before it is complete. `done` is called once, or never after the returned function is called.
 */
export const decode = (
  coding: Coding,
  body: Uint8Array,
  limit: number,
  grown: (bytes: number) => void,
  done: (result: Result.Result<Uint8Array, BodyTooLarge | RequestInvalid>) => void
): (() => void) => {
  const undo = coding === "gzip" ? createGunzip() : createInflate()
  const parts: Array<Buffer> = []
  let length = 0
  const end = (result: Result.Result<Uint8Array, BodyTooLarge | RequestInvalid>) => {
    undo.destroy()
    done(result)
  }
  undo.on("data", (part: Buffer) => {
    length += part.length
    if (length > limit) return end(Result.fail(new BodyTooLarge({ limit })))
    parts.push(part)
    grown(part.length)
  })
  undo.on("error", () => {
    const broken = `the body is not ${coding}, as its Content-Encoding says; send it again, or without`
    end(Result.fail(new RequestInvalid({ reason: broken })))
  })
  undo.on("end", () => end(Result.succeed(Buffer.concat(parts, length))))
  undo.end(body)
  return () => {
    undo.destroy()
  }
}

// Higher levels hardly shrink tensors further, and take several times as long.
const level = 1

/** Compresses a body; `done` gets undefined where that fails, and the answer goes uncompressed. */
export const encode = (coding: Coding, body: Uint8Array, done: (bytes: Uint8Array | undefined) => void): void => {
  const apply = coding === "gzip" ? gzip : deflate
  apply(body, { level }, (error, bytes) => done(error === null ? bytes : undefined))
}
