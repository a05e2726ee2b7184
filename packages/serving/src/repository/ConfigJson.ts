/**
 * The JSON of Triton's ModelConfig: which names it may have.
 */
import type { DescField, DescMessage } from "@bufbuild/protobuf"
import { Effect } from "effect"
import { ModelConfigSchema } from "../grpc/model_config_pb.ts"
import { quote } from "../InferTensor.ts"

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The value under the message's own names; `strange` gets the places of those that it does not have. */
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

/** The same under the names of the .proto file, for it may be written in camel case as well; fails where it has others. */
export const named = (json: unknown): Effect.Effect<unknown, string> =>
  Effect.suspend(() => {
    const strange: Array<string> = []
    const value = rename(ModelConfigSchema, json, "", strange)
    const some = strange.slice(0, 5).map(quote).join(", ")
    return strange.length === 0
      ? Effect.succeed(value)
      : Effect.fail(`Triton's ModelConfig has no ${some}${strange.length > 5 ? ", …" : ""}`)
  })
