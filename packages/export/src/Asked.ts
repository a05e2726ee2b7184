/**
 * What is asked of a model, and what it computes by that.
 */
import { Circuit, type Engine, Program, type ShapeMismatch, type Trained } from "@rai/core"
import { Effect } from "effect"
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
}

/** What is asked of the model of a trained circuit. */
export const program = Effect.fnUntraced(function* (
  trained: Trained.Trained,
  { expose }: Options
): Effect.fn.Return<Asked, ShapeMismatch | Activations.NothingExposed> {
  const { circuit, parameters, preprocessing, task } = trained
  const activations = yield* Activations.make(trained)
  const named = Head.named(activations.freeRun, task)
  const exposed = expose === undefined ? {} : yield* Activations.matching(activations, expose)
  const kinds = new Map(Circuit.sites(circuit).map(({ block, path }) => [path, Circuit.print(block)]))
  const places = [...activations.places].map(([path, tensor]) => ({
    path,
    tensor,
    says: `${path}: ${kinds.get(path)}`
  }))
  const { constants, encoded } = activations
  const first =
    encoded && preprocessing
      ? [{ path: "preprocessing", tensor: encoded, says: `preprocessing: ${Metadata.columns(preprocessing)}` }]
      : []
  const found: Asked = {
    asked: Program.fromTensors(named.inputs, { ...named.outputs, ...exposed }),
    constants: { ...parameters, ...constants },
    places: [...first, ...places]
  }
  return found
})
