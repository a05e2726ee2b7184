/**
 * Errors of reading an imported model: it is invalid, or uses operators or layers that are not supported.
 */
import { Schema } from "effect"

/** A model that contradicts itself, or that refers to what must not be read. */
export class ModelInvalid extends Schema.TaggedError<ModelInvalid>()("ModelInvalid", {
  file: Schema.String,
  expected: Schema.String,
  came: Schema.String,
  /** What to do, where it is more than to export the model again. */
  advice: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const { advice = "export the model again from where it comes" } = this
    return `${this.file}: expected ${plain(this.expected)}, but ${plain(this.came)}; ${advice}`
  }
}

/** What to do about a fixed batch where a network cannot be read for batches of another length. */
export const dynamicBatch = (fixed: number): string =>
  `the model is for batches of exactly ${fixed}: export it again with a dynamic batch axis, dynamic_shapes or dynamic_axes of torch.onnx.export`

/** What to do about several inputs. */
export const oneInput =
  "wrap it in a module that takes one input and splits it, and export that; rai serve serves it as it is"

/** Unsupported operators, all at once, each with the nodes that use it and, where only one form of it is unsupported, the reason. */
export class OperatorsUnsupported extends Schema.TaggedError<OperatorsUnsupported>()("OperatorsUnsupported", {
  file: Schema.String,
  operators: Schema.Array(
    Schema.Struct({
      operator: Schema.String,
      nodes: Schema.Array(Schema.String),
      reason: Schema.optionalKey(Schema.String)
    })
  ),
  /** What to do, where it is known where the operators come from. */
  advice: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    const { advice = "export the model without them, or run it with onnxruntime" } = this
    return `${this.file}: expected operators that are read, but these came: ${each(this.operators)}; ${advice}`
  }
}

/** Unsupported layers, all at once, by class and, where only one form of it is unsupported, with the reason. */
export class LayersUnsupported extends Schema.TaggedError<LayersUnsupported>()("LayersUnsupported", {
  file: Schema.String,
  layers: Schema.Array(
    Schema.Struct({
      layer: Schema.String,
      names: Schema.Array(Schema.String),
      reason: Schema.optionalKey(Schema.String)
    })
  )
}) {
  override get message(): string {
    const layers = each(this.layers.map(({ layer, names, reason }) => ({ operator: layer, nodes: names, reason })))
    return `${this.file}: expected layers that are read, but these came: ${layers}; build the model without them`
  }
}

const each = (
  of: ReadonlyArray<{
    readonly operator: string
    readonly nodes: ReadonlyArray<string>
    readonly reason?: string | undefined
  }>
): string =>
  plain(
    of
      .map(({ nodes, operator, reason }) => {
        const more = nodes.length > shown ? `, … (${nodes.length})` : ""
        return `${operator} (${nodes.slice(0, shown).join(", ")}${more})${reason === undefined ? "" : ` because ${reason}`}`
      })
      .join("; ")
  )

/** On one line of readable length, whatever names the model contains. */
const plain = (text: string): string => {
  const line = text.replaceAll(/\p{C}/gu, "·")
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}

const longest = 2000

/** Number of names that are listed before the rest are only counted. */
const shown = 5
