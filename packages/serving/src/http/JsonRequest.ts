/**
 * The body of an infer request: JSON text in, tensors out.
 */
import { Effect, Schema, SchemaIssue } from "effect"
import { type InferRequest, quote } from "../InferTensor.ts"
import { RequestInvalid } from "../RequestError.ts"
import * as JsonData from "./JsonData.ts"

// The data is left to JsonData: a schema for each number costs more than the rest of the request.
const Body = Schema.Struct({
  id: Schema.optionalKey(Schema.String),
  inputs: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      datatype: Schema.String,
      shape: Schema.Array(Schema.Unknown),
      data: Schema.optionalKey(Schema.Unknown)
    })
  ),
  outputs: Schema.optionalKey(Schema.Array(Schema.Struct({ name: Schema.String })))
})

const decode = Schema.decodeUnknownEffect(Body)
const issues = SchemaIssue.makeFormatterStandardSchemaV1()
const example = '{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 1]}]}'

const malformed = (error: Schema.SchemaError): RequestInvalid => {
  const first = issues(error.issue).issues[0]
  const path = (first?.path ?? []).map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("")
  const problem = (first?.message ?? "of another form").split("\n")[0] ?? ""
  const place = path === "" ? "its top" : quote(path.replace(/^\./, "")).slice(1, -1)
  return new RequestInvalid({
    reason: `the body must be of the form ${example}; at ${place}: ${problem.slice(0, 120)}`
  })
}

// A whole number of 16 digits or more, as an element or value by itself: JSON.parse would round it.
const longInteger = /[[,:\s]-?\d{16,}\s*[\],}]/

const exact = (_key: string, value: unknown, context: { readonly source?: string }): unknown => {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value
  const { source = "" } = context
  return /^-?\d{16,20}$/.test(source) ? BigInt(source) : value
}

type Parse = (text: string, reviver?: typeof exact) => unknown

// The reviver's third argument is younger than TypeScript's declaration of it.
const parse = JSON.parse as Parse

// Python's json writes NaN and infinities as bare words; strings are matched first so that words in them stay. A string that does not end
// is matched to the end of the text: failing there, and again at each later quote, would take quadratic time.
const stringOrWord = /"[^"\\]*(?:\\[\s\S]?[^"\\]*)*(?:"|$)|-?(?:NaN|Infinity)/g

const quoteWords = (text: string): string =>
  text.replace(stringOrWord, (match) => (match.startsWith('"') ? match : `"${match}"`))

const parseExact = (text: string): unknown => (longInteger.test(text) ? parse(text, exact) : parse(text))

/** Reads a request; 64-bit integers keep every digit, and NaN and the infinities may stand as strings or as bare words. */
export const read = Effect.fnUntraced(function* (text: string): Effect.fn.Return<InferRequest, RequestInvalid> {
  const json = yield* Effect.try({
    try: () => parseExact(text),
    catch: () => new RequestInvalid({ reason: `the body is not JSON; send ${example}` })
  }).pipe(Effect.catch((failure) => Effect.try({ try: () => parseExact(quoteWords(text)), catch: () => failure })))
  const body = yield* Effect.mapError(decode(json), malformed)
  const inputs = yield* Effect.forEach(body.inputs, (input) => JsonData.read({ data: undefined, ...input }))
  return { id: body.id, inputs, outputs: body.outputs }
})
