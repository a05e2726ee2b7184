/**
 * Where a model comes from, kept inside it as `metadata_props`.
 */
import { Circuit, type Engine, type Preprocessing, Sha256, type Trained } from "@rai/core"
import { Preprocessing as Kept } from "@rai/core/schema"
import { Option, Schema } from "effect"
import type { ModelProto } from "./onnx_pb.ts"

const Names = Schema.fromJsonString(Schema.Array(Schema.String))

const Properties = Schema.Struct({
  "rai.version": Schema.String,
  "rai.parameters": Schema.String,
  "rai.circuit": Schema.String,
  "rai.plan": Schema.String,
  "rai.seed": Schema.FiniteFromString,
  "rai.engine": Schema.String,
  "rai.task": Schema.Literals(["binary", "classes", "regression"]),
  "rai.preprocessing": Schema.optionalKey(Schema.fromJsonString(Kept)),
  "rai.columns": Schema.optionalKey(Names),
  "rai.inputs": Names,
  "rai.classes": Schema.optionalKey(Names)
})

/** The origin of an exported model. */
export interface Metadata {
  readonly version: string
  /** The hash of its parameters, by `hash`. */
  readonly parameters: string
  readonly circuit: string
  readonly plan: string
  readonly seed: number
  /** The engine that it was trained on. */
  readonly engine: string
  readonly task: "binary" | "classes" | "regression"
  /** Preprocessing from raw columns to the circuit's inputs; absent where it takes them as they are. */
  readonly preprocessing?: Preprocessing.Preprocessing | undefined
  /** Names of the raw columns that the model takes, where the preprocessing is part of it. */
  readonly columns?: ReadonlyArray<string> | undefined
  /** Names of the features; empty where they were never given, as for an imported network that was written back unchanged. */
  readonly inputs: ReadonlyArray<string>
  readonly classes?: ReadonlyArray<string> | undefined
}

/** SHA-256 over the names of the parameters in alphabetical order, each with its shape and its numbers in float32, little-endian. */
export const hash = (parameters: Engine.Arrays): string =>
  Sha256.hex(
    ...Object.keys(parameters)
      .sort()
      .flatMap((name) => {
        const { data, shape } = parameters[name]!
        const { buffer, byteLength, byteOffset } = data instanceof Float32Array ? data : Float32Array.from(data)
        return [`${name} [${shape.join(",")}]\n`, new Uint8Array(buffer, byteOffset, byteLength)]
      })
  )

/** The properties to write, in a fixed order. */
export const of = (trained: Trained.Trained): Readonly<Record<string, string>> => ({
  "rai.version": trained.origin.version,
  "rai.parameters": hash(trained.parameters),
  "rai.circuit": Circuit.print(trained.circuit),
  "rai.plan": trained.origin.plan,
  "rai.seed": String(trained.origin.seed),
  "rai.engine": trained.origin.engine,
  "rai.task": trained.task,
  ...(trained.preprocessing && {
    "rai.preprocessing": JSON.stringify(trained.preprocessing),
    "rai.columns": JSON.stringify(trained.preprocessing.columns.map(({ name }) => name))
  }),
  "rai.inputs": JSON.stringify(trained.inputNames),
  ...(trained.classNames === undefined ? {} : { "rai.classes": JSON.stringify(trained.classNames) })
})

/** Describes the raw columns to a user of the model, who passes categories by their index: `height; colour: 0 blue, 1 red`. */
export const columns = ({ columns: all }: Preprocessing.Preprocessing): string =>
  `${all
    .map((of) =>
      of._tag === "Number" ? of.name : `${of.name}: ${of.categories.map((text, k) => `${k} ${text}`).join(", ")}`
    )
    .join("; ")}; NaN where a value is missing`

/** Reads a model's origin; undefined where another program wrote the model. */
export const read = (model: ModelProto): Metadata | undefined => {
  const properties = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]))
  return Option.getOrUndefined(
    Option.map(Schema.decodeUnknownOption(Properties)(properties), (found) => ({
      version: found["rai.version"],
      parameters: found["rai.parameters"],
      circuit: found["rai.circuit"],
      plan: found["rai.plan"],
      seed: found["rai.seed"],
      engine: found["rai.engine"],
      task: found["rai.task"],
      ...(found["rai.preprocessing"] && { preprocessing: found["rai.preprocessing"] }),
      ...(found["rai.columns"] && { columns: found["rai.columns"] }),
      inputs: found["rai.inputs"],
      classes: found["rai.classes"]
    }))
  )
}
