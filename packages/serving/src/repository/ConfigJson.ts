/**
 * The field names that the JSON form of Triton's ModelConfig may use.
 */
import type { DescField, DescMessage } from "@bufbuild/protobuf"
import { Effect } from "effect"
import { ModelConfigSchema } from "../grpc/model_config_pb.ts"
import { quote } from "../InferTensor.ts"

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Renames a value's keys to the message's own field names; `strange` collects the places of keys that the message does not have. */
const rename = (message: DescMessage, value: unknown, place: string, strange: Array<string>): unknown => {
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, inner]) => {
    const field = message.fields.find(({ name, jsonName }) => name === key || jsonName === key)
    if (field === undefined) strange.push(place + key)
    return field === undefined ? [key, inner] : [field.name, inside(field, inner, `${place}${key}.`, strange)]
  })
  return Object.fromEntries(entries)
}

const inside = (field: DescField, value: unknown, place: string, strange: Array<string>): unknown => {
  const { fieldKind, message } = field
  if (message === undefined) return value
  if (fieldKind === "list" && Array.isArray(value)) {
    return value.map((item, index) => rename(message, item, `${place}${index}.`, strange))
  }
  if (fieldKind === "map" && isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, rename(message, item, `${place}${key}.`, strange)])
    )
  }
  return rename(message, value, place, strange)
}

/** The same under the field names of the .proto file, as JSON may also use camel case; fails where there are unknown names. */
export const named = (json: unknown): Effect.Effect<unknown, string> =>
  Effect.suspend(() => {
    const strange: Array<string> = []
    const value = rename(ModelConfigSchema, json, "", strange)
    const some = strange.slice(0, 5).map(quote).join(", ")
    return strange.length === 0
      ? Effect.succeed(value)
      : Effect.fail(`Triton's ModelConfig has no ${some}${strange.length > 5 ? ", …" : ""}`)
  })
