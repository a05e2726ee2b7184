/**
 * Options of an export, and what the model computes under them.
 */
import { Circuit, type Engine, type NdArray, Program, type ShapeMismatch, type Trained } from "@rai/core"
import { Effect, Record } from "effect"
import * as Activations from "./Activations.ts"
import type * as Graph from "./Graph.ts"
import * as Head from "./Head.ts"
import * as Metadata from "./Metadata.ts"
import * as Weights from "./Weights.ts"

/** Options of an export. */
export interface Options {
  /** Operator set, 17 to 24; 21 by default. */
  readonly opset?: number
  /** Path of activations that become outputs too, with `*` for any one step: `1.*.0`. */
  readonly expose?: string
  /** Format that weights are stored in; `float16` halves the file, `int8` quarters it, and the record says what that costs. */
  readonly weights?: Weights.Kind
}

/** The trained circuit as it is written: with weights in float16, its parameters are rounded to that. */
export const kept = (trained: Trained.Trained, { weights }: Options): Trained.Trained =>
  weights === "float16" ? { ...trained, parameters: Weights.rounded(trained.parameters) } : trained

/** The program that a model computes, the arrays that become part of it, and the places that name its parts. */
export interface Asked {
  readonly asked: Program.Program
  readonly constants: Engine.Arrays
  readonly places: ReadonlyArray<Graph.Place>
  /** Names of the arrays in the model, where they differ from those among the constants. */
  readonly labels: Readonly<Record<string, string>>
  /** Makes the one input that is left from rows [examples, inputs]. */
  readonly given: (x: NdArray.NdArray) => Engine.Arrays
}

/** Builds what the model of a trained circuit is to compute. */
export const program = Effect.fnUntraced(function* (
  trained: Trained.Trained,
  { expose }: Options
): Effect.fn.Return<Asked, ShapeMismatch | Activations.NothingExposed> {
  const { circuit, parameters, preprocessing, task } = trained
  const activations = yield* Activations.make(trained)
  const named = Head.named(activations.freeRun, task)
  const own = Activations.names(circuit)
  const answers = { ...asBefore(named, own?.output), ...named.outputs }
  const exposed = expose === undefined ? {} : yield* Activations.matching(activations, expose)
  // Nodes of an imported network may have the name of an input or output of the model.
  const taken = new Set([answers, named.inputs].flatMap(Object.keys))
  const free = (name: string): string => (taken.has(name) ? free(`${name}.output`) : name)
  const kinds = new Map(Circuit.sites(circuit).map(({ block, path }) => [path, Circuit.print(block)]))
  const places = [...activations.places].map(([path, tensor]) => ({
    path,
    tensor,
    says: `${path}: ${kinds.get(path)}`,
    isNode: own !== undefined
  }))
  const { constants, encoded } = activations
  const first =
    encoded && preprocessing
      ? [
          {
            path: "preprocessing",
            tensor: encoded,
            says: `preprocessing: ${Metadata.columns(preprocessing)}`,
            isNode: false
          }
        ]
      : []
  const input = Activations.input(trained)
  const found: Asked = {
    asked: Program.fromTensors(named.inputs, { ...answers, ...Record.mapKeys(exposed, free) }),
    constants: { ...parameters, ...constants },
    places: [...first, ...places],
    labels: own?.parameters ?? {},
    given: ({ data, shape }) => ({ [input.name]: { data, shape: [shape[0]!, ...input.example] } })
  }
  return found
})

/**
 * The output of an imported network under its old name and in its old shape, so that what took it before takes the new model too; none where that
 * name means something else.
 */
const asBefore = (
  { inputs, outputs }: Program.Program,
  output: Circuit.End | undefined
): Program.Program["outputs"] => {
  if (output === undefined || output.name in outputs || output.name in inputs) return {}
  return { [output.name]: (outputs.logit ?? outputs.value)!.reshape(["batch", ...output.example]) }
}
