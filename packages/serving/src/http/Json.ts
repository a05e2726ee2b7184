/**
 * JSON as inference clients write it: NaN and the infinities as bare words, 64-bit integers with every digit; bounded in depth and size.
 */
import { isUtf8 } from "node:buffer"
import { Result } from "effect"
import { RequestInvalid } from "../RequestError.ts"
import type { Limits } from "./Limits.ts"

const [quotes, backslash, opening, closing, openingBrace, closingBrace, colon] = [
  0x22, 0x5c, 0x5b, 0x5d, 0x7b, 0x7d, 0x3a
]

/** Index of the quote that ends the string starting here, or the text's length. */
const endOfString = (text: string, start: number): number => {
  for (let at = start + 1; at < text.length; at++) {
    const end = text.indexOf('"', at)
    if (end < 0) return text.length
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === backslash && end - 1 - escapes > start) escapes++
    if (escapes % 2 === 0) return end
    at = end
  }
  return text.length
}

// Python's json writes NaN and infinities as bare words, which JSON.parse refuses; it also rounds whole numbers of 16 digits or more.
const loose = /-?(?:NaN|Infinity)|(?<=^|[[,:\s])-?\d{16,20}(?=[\s\],}])/g

// Maximum length of a text to read this way, which takes several times as long.
const longest = 16 * 1024 * 1024

// V8 ends the process where one text has more than some ten million matches to replace.
const stretch = 65_536

/** Puts loose values into quotes; `JsonData` recognises them. A reviver, or a replacer function, would take many times as long. */
const quoteLoose = (text: string): string => {
  const parts: Array<string> = []
  let kept = 0
  let string = text.indexOf('"')
  for (let at = 0; at < text.length; ) {
    if (string < 0) string = text.length
    // Up to the next string, or just past a comma on the way.
    const comma = string - at > stretch ? text.indexOf(",", at + stretch) : -1
    const end = comma < 0 || comma > string ? string : comma + 1
    // Between most strings there is only a comma.
    const between = end - at < 3 ? "" : text.slice(at, end)
    const quoted = between.replace(loose, '"$&"')
    if (quoted !== between) {
      parts.push(text.slice(kept, at), quoted)
      kept = end
    }
    at = end
    if (end < string) continue
    at = endOfString(text, string) + 1
    string = text.indexOf('"', at)
  }
  return parts.length === 0 ? text : parts.join("") + text.slice(kept)
}

// Only INT64 tensors (and UINT64, whose name contains it) and the ids of sequences keep what a double does not.
const rounded = (text: string): boolean =>
  (text.includes("INT64") || text.includes('"sequence_id"')) && /[[,:\s]-?\d{16}/.test(text)

/** Whether a text holds more than `limit` of a character, inside strings too: a quick check that most requests pass. */
const holdsMore = (text: string, character: string, limit: number): boolean => {
  let count = 0
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) {
    if (++count > limit) return true
  }
  return false
}

// Before JSON.parse, which would first build what is then refused.
const excess = (text: string, { jsonArrays, jsonDepth, jsonKeys }: Limits): string | undefined => {
  const quick =
    holdsMore(text, "[", jsonDepth / 2) || holdsMore(text, "{", jsonDepth / 2) || holdsMore(text, ":", jsonKeys)
  if (!quick) return undefined
  const more = (limit: number, what: string) =>
    `the body may hold ${limit} ${what}; more came; send its data flat, or as binary tensor data`
  let [depth, arrays, keys] = [0, 0, 0]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quotes) at = endOfString(text, at)
    else if (code === colon) {
      if (++keys > jsonKeys) return more(jsonKeys, "names in its objects")
    } else if (code === opening || code === openingBrace) {
      if (++depth > jsonDepth) return `the body may nest ${jsonDepth} deep; it goes deeper; send its data flat`
      if (++arrays > jsonArrays) return more(jsonArrays, "arrays and objects")
    } else if (code === closing || code === closingBrace) depth--
  }
  return undefined
}

/** Parses any JSON value; `example` tells the sender of an invalid body what to send. */
export const parse = (bytes: Uint8Array, example: string, limits: Limits): Result.Result<unknown, RequestInvalid> => {
  const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))
  if (!isUtf8(bytes)) return invalid(`the body is not UTF-8; send ${example}`)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  const reason = excess(text, limits)
  if (reason !== undefined) return invalid(reason)
  const rounds = rounded(text)
  const strict = rounds ? undefined : Result.try((): unknown => JSON.parse(text))
  if (strict !== undefined && Result.isSuccess(strict)) return Result.succeed(strict.success)
  if (rounds || /NaN|Infinity/.test(text)) {
    if (text.length > longest) {
      return invalid(
        `the body holds NaN, infinities or whole numbers of 16 digits and more, and ${text.length} characters in all, where such a one may hold ${longest}; send its data as binary tensor data`
      )
    }
  } else return invalid(`the body is not JSON; send ${example}`)
  const quoted = Result.try((): unknown => JSON.parse(quoteLoose(text)))
  return Result.isSuccess(quoted) ? Result.succeed(quoted.success) : invalid(`the body is not JSON; send ${example}`)
}
