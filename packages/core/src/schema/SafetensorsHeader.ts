/**
 * The header of a safetensors file: of each array its type, its shape, and where its bytes begin and end.
 */
import { Schema } from "effect"

const Header = Schema.Record(
  Schema.String,
  Schema.Struct({
    dtype: Schema.Literals(["F32", "F64", "I32", "U8"]),
    shape: Schema.Array(Schema.Int),
    data_offsets: Schema.Tuple([Schema.Int, Schema.Int])
  })
)

/** The header that a text holds. */
export const parse = Schema.decodeUnknownEffect(Schema.fromJsonString(Header))
