/**
 * What is asked of a model, and what it computes by that.
 */
import { Circuit, type Engine, type NdArray, Program, type ShapeMismatch, type Trained } from "@rai/core"
import { Effect, Record } from "effect"
import * as Activations from "./Activations.ts"
import type * as Graph from "./Graph.ts"
import * as Head from "./Head.ts"
import * as Metadata from "./Metadata.ts"
import * as Weights from "./Weights.ts"

/** What may be asked of a model. */
export interface Options {
  /** The operator set, 17 to 24; 21 unless told. */
  readonly opset?: number
  /** Paths of activations that become outputs too, with `*` for any one step: `1.*.0`. */
  readonly expose?: string
  /** What the weights are kept as; `float16` halves the file, `int8` quarters it, and the record says what that costs. */
  readonly weights?: Weights.Kind
}

/** What is written: with weights in float16 the parameters are those that it keeps. */
export const kept = (trained: Trained.Trained, { weights }: Options): Trained.Trained =>
  weights === "float16" ? { ...trained, parameters: Weights.rounded(trained.parameters) } : trained

/** The program that a model computes, the arrays that become part of it, and the places that its parts are named by. */
export interface Asked {
  readonly asked: Program.Program
  readonly constants: Engine.Arrays
  readonly places: ReadonlyArray<Graph.Place>
  /** What arrays that become part of it are called where that is not their name among the constants. */
  readonly labels: Readonly<Record<string, string>>
  /** The one input that is left, for rows [examples, inputs]. */
  readonly given: (x: NdArray.NdArray) => Engine.Arrays
}

/** What is asked of the model of a trained circuit. */
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
  // Nodes elsewhere may be called as what the model takes or answers.
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

/** The output of a network from elsewhere as it was, so that what took it before takes the model too; none where that name means something else. */
const asBefore = (
  { inputs, outputs }: Program.Program,
  output: Circuit.End | undefined
): Program.Program["outputs"] => {
  if (output === undefined || output.name in outputs || output.name in inputs) return {}
  return { [output.name]: (outputs.logit ?? outputs.value)!.reshape(["batch", ...output.example]) }
}
