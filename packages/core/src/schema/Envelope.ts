/**
 * The JSON of an archive: its kind, where its arrays are, and its content in the kind's own schema.
 */
import { Effect, Schema } from "effect"

const Head = Schema.fromJsonString(Schema.Struct({ format: Schema.String, version: Schema.Int }))

const Envelope = Schema.Struct({
  arrays: Schema.Struct({ file: Schema.String, sha256: Schema.String }),
  content: Schema.Unknown
})

/** Decodes the kind and version that a text declares. */
export const head = Schema.decodeUnknownEffect(Head)

const parse = Schema.decodeUnknownEffect(Schema.fromJsonString(Envelope))

/** Decodes an archive's text, its content by the given schema. */
export const decode = Effect.fnUntraced(function* <A>(text: string, schema: Schema.Codec<A, unknown>) {
  const { arrays, content } = yield* parse(text)
  return { arrays, content: yield* Schema.decodeUnknownEffect(schema)(content) }
})
