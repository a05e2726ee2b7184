/**
 * The JSON of an archive: what kind it is, where its arrays lie, and its content by the kind's own schema.
 */
import { Effect, Schema } from "effect"

const Head = Schema.fromJsonString(Schema.Struct({ format: Schema.String, version: Schema.Int }))

const Envelope = Schema.Struct({
  arrays: Schema.Struct({ file: Schema.String, sha256: Schema.String }),
  content: Schema.Unknown
})

/** The kind and version that a text says it is of. */
export const head = Schema.decodeUnknownEffect(Head)

const parse = Schema.decodeUnknownEffect(Schema.fromJsonString(Envelope))

/** An archive's text, read by the schema of its content. */
export const decode = Effect.fnUntraced(function* <A>(text: string, schema: Schema.Codec<A, unknown>) {
  const { arrays, content } = yield* parse(text)
  return { arrays, content: yield* Schema.decodeUnknownEffect(schema)(content) }
})
