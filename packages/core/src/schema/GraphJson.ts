/**
 * A graph as JSON: nodes with the indices of their operands, the output last; non-finite numbers as text.
 */
import { Schema } from "effect"

const Value = Schema.Union([Schema.Finite, Schema.Boolean, Schema.String])

const Node = Schema.Struct({
  primitive: Schema.String,
  operands: Schema.Array(Schema.Int),
  attributes: Schema.Record(Schema.String, Schema.Union([Value, Schema.Array(Value)]))
})

const End = Schema.Struct({ name: Schema.String, example: Schema.Array(Schema.Int) })

const Input = Schema.Struct({
  ...End.fields,
  elements: Schema.optionalKey(Schema.Struct({ type: Schema.String, rows: Schema.optionalKey(Schema.Int) }))
})

/** The schema of a graph as JSON. */
export const GraphJson = Schema.Struct({
  nodes: Schema.Array(Node),
  places: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      kind: Schema.String,
      role: Schema.Literals(["map", "activation", "other"]),
      result: Schema.Int
    })
  ),
  names: Schema.optionalKey(
    Schema.Struct({ input: Input, output: End, parameters: Schema.Record(Schema.String, Schema.String) })
  ),
  parameters: Schema.Record(
    Schema.String,
    Schema.Struct({
      shape: Schema.Array(Schema.Int),
      role: Schema.Literals(["weight", "bias", "scale", "embedding", "statistic"]),
      fanIn: Schema.Finite,
      fanOut: Schema.Finite
    })
  )
})

/** A graph as JSON. */
export interface GraphJson extends Schema.Schema.Type<typeof GraphJson> {}
