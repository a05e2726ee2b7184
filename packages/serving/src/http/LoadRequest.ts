/**
 * The request bodies of Triton's model repository extension.
 */
import { Effect, Result, Schema } from "effect"
import * as Base64 from "effect/encoding/Base64"
import type { LoadOptions } from "../DataPlane.ts"
import { quote } from "../InferTensor.ts"
import { RequestInvalid } from "../RequestError.ts"
import * as Json from "./Json.ts"
import type { Limits } from "./Limits.ts"

const Load = Schema.Struct({ parameters: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)) })
const Index = Schema.Struct({ ready: Schema.optionalKey(Schema.Boolean) })

// A body is optional: without one, the path says everything.
const decode = <A>(schema: Schema.Codec<A, unknown>, example: string) => {
  const read = Schema.decodeUnknownEffect(schema)
  return (body: Uint8Array, limits: Limits) =>
    (body.length === 0 ? Effect.succeed({}) : Effect.fromResult(Json.parse(body, example, limits))).pipe(
      Effect.flatMap(read),
      Effect.catchTag("SchemaError", () => new RequestInvalid({ reason: `the body must be of the form ${example}` }))
    )
}

/** Reads an unload request; whatever its body says concerns ensembles, which are not served. */
export const readUnload = decode(Load, '{"parameters": {"unload_dependents": false}}')

const readLoad = decode(Load, '{"parameters": {"config": "{}", "file:1/model.onnx": "<base64>"}}')
const readIndex = decode(Index, '{"ready": true}')

/** Whether only ready versions are asked for. */
export const onlyReady = (body: Uint8Array, limits: Limits): Effect.Effect<boolean, RequestInvalid> =>
  Effect.map(readIndex(body, limits), ({ ready = false }) => ready)

/** The settings and files that replace a model's own. */
export const options = Effect.fnUntraced(function* (
  body: Uint8Array,
  limits: Limits
): Effect.fn.Return<LoadOptions, RequestInvalid> {
  const { parameters = {} } = yield* readLoad(body, limits)
  const files: Array<[string, Uint8Array]> = []
  let config: string | undefined
  for (const [name, value] of Object.entries(parameters)) {
    if (typeof value !== "string") {
      return yield* new RequestInvalid({ reason: `the parameter ${quote(name)} must be a text; correct it` })
    }
    if (name === "config") config = value
    if (!name.startsWith("file:")) continue
    const bytes = Base64.decode(value)
    if (Result.isFailure(bytes)) {
      return yield* new RequestInvalid({ reason: `the parameter ${quote(name)} must be a file as base64; correct it` })
    }
    files.push([name.slice("file:".length), bytes.success])
  }
  return { config, files: files.length === 0 ? undefined : Object.fromEntries(files) }
})
