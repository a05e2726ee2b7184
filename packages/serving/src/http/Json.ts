/**
 * JSON as inference clients write it: NaN and the infinities as bare words, 64-bit integers with every digit; bounded in depth and size.
 */
import { isUtf8 } from "node:buffer"
import { Result } from "effect"
import { RequestInvalid } from "../RequestError.ts"
import type { Limits } from "./Limits.ts"

// A whole number of 16 digits or more, as an element or value by itself: JSON.parse would round it.
const longInteger = /[[,:\s]-?\d{16,}\s*[\],}]/

// Python's json writes NaN and infinities as bare words; strings are matched first so that words in them stay. A string that does not end
// is matched to the end of the text: failing there, and again at each later quote, would take quadratic time.
const stringOrLoose = /"[^"\\]*(?:\\[\s\S]?[^"\\]*)*(?:"|$)|-?(?:NaN|Infinity)|(?<=[[,:\s])-?\d{16,20}(?=\s*[\],}])/g

/** Puts what JSON.parse would refuse or round into quotes; `JsonData` knows it again. A reviver would take a hundred times as long. */
const quoteLoose = (text: string): string =>
  text.replace(stringOrLoose, (match) => (match.startsWith('"') ? match : `"${match}"`))

// Only tensors of these datatypes (and UINT64, which holds the name) keep what a double does not.
const rounds = (text: string): boolean => text.includes("INT64") && longInteger.test(text)

const opened = (text: string, enough: number): number => {
  let count = 0
  for (const bracket of ["[", "{"]) {
    for (let at = text.indexOf(bracket); at >= 0 && count <= enough; at = text.indexOf(bracket, at + 1)) count++
  }
  return count
}

const endOfString = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at
    if (code === 0x5c) at++
  }
  return text.length
}

// Before JSON.parse, which would first build what is then refused.
const excess = (text: string, { jsonDepth, jsonArrays }: Limits): string | undefined => {
  if (opened(text, jsonDepth) <= jsonDepth) return undefined
  let depth = 0
  let arrays = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) at = endOfString(text, at)
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > jsonDepth) return `the body may nest ${jsonDepth} deep; it goes deeper; send its data flat`
      if (++arrays > jsonArrays) {
        return `the body may hold ${jsonArrays} arrays and objects; more came; send its data flat, or as binary tensor data`
      }
    } else if (code === 0x5d || code === 0x7d) depth--
  }
  return undefined
}

/** Any JSON value; `example` is what a body that is none is told to be. */
export const parse = (bytes: Uint8Array, example: string, limits: Limits): Result.Result<unknown, RequestInvalid> => {
  const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))
  if (!isUtf8(bytes)) return invalid(`the body is not UTF-8; send ${example}`)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  const reason = excess(text, limits)
  if (reason !== undefined) return invalid(reason)
  const strict = rounds(text) ? undefined : Result.try((): unknown => JSON.parse(text))
  if (strict !== undefined && Result.isSuccess(strict)) return Result.succeed(strict.success)
  const loose = Result.try((): unknown => JSON.parse(quoteLoose(text)))
  return Result.isSuccess(loose) ? Result.succeed(loose.success) : invalid(`the body is not JSON; send ${example}`)
}
