/**
 * How one model is served: the part of Triton's ModelConfig that this server follows, from `config.json` (its JSON form) or `config.pbtxt` (its text
 * form) in the model's folder.
 */
import { Effect, Schema, SchemaIssue } from "effect"
import { quote } from "../InferTensor.ts"
import type { ExecutionProvider } from "../worker/Message.ts"

// Protobuf's JSON may write numbers as strings too.
const whole = (maximum: number, minimum = 0) => {
  const within = Schema.Int.check(Schema.isBetween({ minimum, maximum }))
  return Schema.Union([within, Schema.FiniteFromString.pipe(Schema.decodeTo(within))])
}
const Count = whole(1_000_000)
/** Maximum number of threads per model, each with a session of its own. */
const maxInstances = 64
const Microseconds = whole(600_000_000)
/** Sizes of a shape, with as many axes as a request may have. */
const Sizes = Schema.Array(whole(2 ** 31, -1)).check(Schema.isMaxLength(32))

/** What clients are told about a tensor, which they may see in another shape than the model's. */
const tensor = {
  name: Schema.String,
  /** Must be the model's own, such as `TYPE_FP32`. */
  data_type: Schema.optionalKey(Schema.String),
  /** One example's shape as clients see it, where `reshape` gives the model's; otherwise it must fit the model's own, which holds. */
  dims: Schema.optionalKey(Sizes),
  reshape: Schema.optionalKey(Schema.Struct({ shape: Schema.optionalKey(Sizes) }))
}

/** Number of threads that a model computes in. */
export const instancesOf = (settings: {
  readonly instance_group?: ReadonlyArray<{ readonly count?: number }>
}): number => settings.instance_group?.reduce((sum, { count = 1 }) => sum + count, 0) || 1

const pair = <S extends Schema.Top>(value: S) => Schema.optionalKey(Schema.Tuple([value, value]))
const control = Schema.Struct({
  kind: Schema.Literals([
    "CONTROL_SEQUENCE_START",
    "CONTROL_SEQUENCE_READY",
    "CONTROL_SEQUENCE_END",
    "CONTROL_SEQUENCE_CORRID"
  ]),
  int32_false_true: pair(Schema.Int),
  fp32_false_true: pair(Schema.Finite),
  bool_false_true: pair(Schema.Boolean)
})

const only = (...names: ReadonlyArray<string>) =>
  Schema.optionalKey(
    Schema.String.check(
      Schema.makeFilter(
        (name) => name === "" || names.includes(name) || `${names.join(" or ")} is expected; ${quote(name)} came`
      )
    )
  )

/** A model's settings; for whatever is not given, the server adapts, see `batching/Batcher.ts`. */
export const ModelSettings = Schema.Struct({
  name: Schema.optionalKey(Schema.String),
  backend: only("onnxruntime"),
  platform: only("onnxruntime_onnx", "onnx_onnxv1"),
  /** The name of a version's file, `model.onnx` unless given. */
  default_model_filename: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^(?!\.{1,2}$)[^/\\\0]*$/))),
  /** Maximum number of rows per execution; 0 never batches requests. */
  max_batch_size: Schema.optionalKey(Count),
  /** `format` says which axes of an image are which; it is only passed on to clients. */
  input: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        ...tensor,
        format: Schema.optionalKey(Schema.Literals(["FORMAT_NONE", "FORMAT_NHWC", "FORMAT_NCHW"]))
      })
    )
  ),
  /** Those alone are served, or all where none are named. `label_filename` names a file in the model's folder with one line per class. */
  output: Schema.optionalKey(
    Schema.Array(Schema.Struct({ ...tensor, label_filename: Schema.optionalKey(Schema.String) }))
  ),
  dynamic_batching: Schema.optionalKey(
    Schema.Struct({
      /** How long a request may wait for others; 0, the default, for no wait. */
      max_queue_delay_microseconds: Schema.optionalKey(Microseconds),
      default_queue_policy: Schema.optionalKey(
        Schema.Struct({
          /** Maximum number of waiting requests; beyond it the answer is 503. */
          max_queue_size: Schema.optionalKey(Count),
          /** How long requests that bring no deadline may wait, their computation aside; 0 for any time. */
          default_timeout_microseconds: Schema.optionalKey(Microseconds),
          /** Whether one that has waited so long is refused (the default), or goes on waiting. */
          timeout_action: Schema.optionalKey(Schema.Literals(["REJECT", "DELAY"]))
        })
      )
    })
  ),
  /** Inputs filled from what a request says about its sequence; nothing is kept from one request to the next, so `state` must be empty. */
  sequence_batching: Schema.optionalKey(
    Schema.Struct({
      control_input: Schema.optionalKey(
        Schema.Array(Schema.Struct({ name: Schema.String, control: Schema.Tuple([control]) }))
      ),
      state: Schema.optionalKey(Schema.Tuple([]))
    })
  ),
  /** Which versions are served; only the latest where it is not given. */
  version_policy: Schema.optionalKey(
    Schema.Union([
      Schema.Struct({ latest: Schema.Struct({ num_versions: Schema.optionalKey(Count) }) }),
      Schema.Struct({ all: Schema.Struct({}) }),
      Schema.Struct({ specific: Schema.Struct({ versions: Schema.Array(Count) }) })
    ])
  ),
  /** Execution providers tried in order instead of the server's own: `{"execution_providers": {"string_value": "cuda:1,cpu"}}`. */
  parameters: Schema.optionalKey(
    Schema.Struct({
      execution_providers: Schema.optionalKey(
        Schema.Struct({
          string_value: Schema.String.check(Schema.isPattern(/^(cpu|cuda(:\d{1,3})?)(,(cpu|cuda(:\d{1,3})?))*$/))
        })
      )
    })
  ),
  /** `count` is the number of threads with a session each; `kind` the one provider, or with `KIND_AUTO` the server's list. */
  instance_group: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        count: Schema.optionalKey(Count),
        kind: Schema.optionalKey(Schema.Literals(["KIND_AUTO", "KIND_CPU", "KIND_GPU"])),
        gpus: Schema.optionalKey(Schema.Array(Count))
      })
    ).check(
      Schema.makeFilter((groups) => instancesOf({ instance_group: groups }) <= maxInstances, {
        expected: `${maxInstances} instances or fewer in all`
      })
    )
  )
}).check(
  // In Triton's form the two exclude each other.
  Schema.makeFilter((settings) => !("dynamic_batching" in settings && "sequence_batching" in settings), {
    expected: "dynamic_batching or sequence_batching, not both"
  })
)

export type ModelSettings = typeof ModelSettings.Type

/** The execution providers that a model's settings ask for, or else the server's. */
export const providersOf = (
  { instance_group, parameters }: ModelSettings,
  otherwise: ReadonlyArray<ExecutionProvider>
): ReadonlyArray<ExecutionProvider> => {
  const [group] = instance_group ?? []
  const named = parameters?.execution_providers?.string_value
  if (named !== undefined) return named.split(",") as ReadonlyArray<ExecutionProvider>
  if (group?.kind === "KIND_CPU") return ["cpu"]
  return group?.kind === "KIND_GPU" ? [`cuda:${group.gpus?.[0] ?? 0}`] : otherwise
}

const json = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Unknown))
const decode = Schema.decodeUnknownEffect(ModelSettings)
const issues = SchemaIssue.makeFormatterStandardSchemaV1()

const explain = Effect.mapError((error: Schema.SchemaError) => {
  const [first] = issues(error.issue).issues
  const place = (first?.path ?? []).join(".")
  const problem = (first?.message ?? "it has another form").split("\n")[0]!.slice(0, 120)
  return place === "" ? problem : `at ${place}: ${problem}`
})

// These modules know the whole of Triton's form and take time to load, and most models have no settings.
const forms = {
  json: Effect.fnUntraced(function* (text: string) {
    const { named } = yield* Effect.promise(() => import("./ConfigJson.ts"))
    return yield* named(yield* explain(json(text)))
  }),
  text: Effect.fnUntraced(function* (text: string) {
    const { read } = yield* Effect.promise(() => import("./ConfigText.ts"))
    return yield* read(text)
  })
}

const isEmpty = (value: unknown): boolean =>
  !value || value === "0" || (typeof value === "object" && Object.keys(value).length === 0)

/** The places of what `said` holds and `kept` does not. */
const dropped = (said: unknown, kept: unknown, place = ""): ReadonlyArray<string> => {
  if (isEmpty(said)) return []
  if (kept === undefined) return [place]
  if (typeof said !== "object" || said === null) return []
  return Object.entries(said).flatMap(([key, inner]) =>
    dropped(inner, (kept as Readonly<Record<string, unknown>>)[key], place === "" ? key : `${place}.${key}`)
  )
}

/** Reads a model's settings from their text, and the places of what this server does not follow; the failure says what is wrong and where. */
export const read = Effect.fnUntraced(function* (model: string, text: string, form: keyof typeof forms = "json") {
  const said = yield* forms[form](text)
  const settings = yield* explain(decode(said))
  // As Triton does: it catches a folder that was copied.
  const { name = "" } = settings
  if (name !== "" && name !== model) {
    return yield* Effect.fail(`at name: ${quote(model)} is expected, as the model is called; ${quote(name)} came`)
  }
  return { settings, unfollowed: dropped(said, settings) }
})

/** What to tell the maintainer of settings that hold what this server does not follow; undefined where there is no such thing. */
export const warning = (unfollowed: ReadonlyArray<string>): string | undefined =>
  unfollowed.length === 0
    ? undefined
    : `of its settings, this server does not follow ${unfollowed.slice(0, 10).join(", ")}${unfollowed.length > 10 ? ", …" : ""}`
