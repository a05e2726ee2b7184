/**
 * The topology of a layers-model: which layers there are, and what each is called on.
 */
import { Schema } from "effect"

/** A layer with its configuration; `inbound_nodes` are its calls within a functional model. */
export interface Layer {
  readonly class_name: string
  readonly config: Readonly<Record<string, unknown>>
  readonly name?: string
  readonly inbound_nodes?: ReadonlyArray<unknown>
}

/** A sequential model, or a functional one, whose layers are called on each other. */
export interface Model {
  readonly class_name: string
  readonly name: string
  readonly layers: ReadonlyArray<Layer>
  /** Inputs and outputs of a functional model; none where the layers follow one another. */
  readonly input_layers: ReadonlyArray<Reference>
  readonly output_layers: ReadonlyArray<Reference>
}

/** One output of one call of a layer, each by number. */
export interface Reference {
  readonly layer: string
  readonly call: number
  readonly output: number
}

const LayerJson: Schema.Codec<Layer> = Schema.Struct({
  class_name: Schema.String,
  config: Schema.Record(Schema.String, Schema.Unknown),
  name: Schema.optionalKey(Schema.String),
  inbound_nodes: Schema.optionalKey(Schema.Array(Schema.Unknown))
})

const Layers = Schema.Array(LayerJson)

const Config = Schema.Struct({
  name: Schema.optionalKey(Schema.String),
  layers: Layers,
  input_layers: Schema.optionalKey(Schema.Unknown),
  output_layers: Schema.optionalKey(Schema.Unknown)
})

const Plain = Schema.Struct({ class_name: Schema.String, config: Schema.Union([Config, Layers]) })

/** Topology as TensorFlow.js writes it, or as the converter from Keras does. */
export const schema = Schema.Union([Plain, Schema.Struct({ model_config: Plain })])

/** Builds the model from its JSON. */
export const of = (json: typeof schema.Type): Model => {
  const { class_name, config } = "model_config" in json ? json.model_config : json
  const { input_layers, layers, name, output_layers } =
    "layers" in config ? config : { layers: config, name: undefined, input_layers: [], output_layers: [] }
  return {
    class_name,
    name: name ?? class_name,
    layers,
    input_layers: references(input_layers),
    output_layers: references(output_layers)
  }
}

/** Returns the model that is nested as a layer; undefined where the layer is none. */
export const nested = (layer: Layer): Model | undefined => {
  if (!/^(Sequential|Functional|Model)$/.test(layer.class_name)) return undefined
  const decoded = Schema.decodeUnknownOption(Plain)(layer)
  return decoded._tag === "Some" ? of(decoded.value) : undefined
}

/** Name of a layer. */
export const nameOf = ({ config, name }: Layer): string => name ?? String(config.name)

/** Inputs of each call of a layer. */
export const calls = ({ inbound_nodes = [] }: Layer): ReadonlyArray<ReadonlyArray<Reference>> =>
  inbound_nodes.map(references)

/** Parses references: [name, call, output] alone or in nested lists, or Keras 3's `keras_history` within the arguments of a call. */
const references = (json: unknown): ReadonlyArray<Reference> => {
  if (Array.isArray(json)) {
    const [layer, call, output] = json
    if (typeof layer === "string") return [{ layer, call: Number(call ?? 0), output: Number(output ?? 0) }]
    return json.flatMap(references)
  }
  if (typeof json !== "object" || json === null) return []
  const { args, class_name, config } = json as Readonly<Record<string, unknown>>
  if (class_name !== "__keras_tensor__") return references(args)
  return references((config as { readonly keras_history?: unknown } | undefined)?.keras_history)
}
