/**
 * What is stored of a trained circuit besides its parameters.
 */
import { Schema } from "effect"
import { CircuitJson } from "./CircuitJson.ts"
import { Preprocessing } from "./Preprocessing.ts"

/** The content of `circuit.json`. */
export const TrainedContent = Schema.Struct({
  circuit: CircuitJson,
  task: Schema.Literals(["binary", "classes", "regression"]),
  preprocessing: Schema.optional(Preprocessing),
  inputNames: Schema.Array(Schema.String),
  classNames: Schema.optional(Schema.Array(Schema.String)),
  origin: Schema.Struct({
    plan: Schema.String,
    seed: Schema.Int,
    engine: Schema.String,
    version: Schema.String
  })
})

/** What is stored of a trained circuit besides its parameters. */
export interface TrainedContent extends Schema.Schema.Type<typeof TrainedContent> {}
