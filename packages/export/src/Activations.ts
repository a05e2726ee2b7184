/**
 * Activations at each place of a circuit in its free run, by path: the paths name a model's parts, and the activations may become outputs too.
 */
import {
  Circuit,
  Encoding,
  type Engine,
  Evaluation,
  FreeRun,
  Program,
  type ShapeMismatch,
  Tensor,
  type Trained
} from "@rai/core"
import { Effect, Record, Schema } from "effect"

/** A path that matches no activation of the circuit. */
export class NothingExposed extends Schema.TaggedError<NothingExposed>()("NothingExposed", {
  expose: Schema.String,
  paths: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const { length } = this.paths
    const some = length > 6 ? `${this.paths.slice(0, 5).join(", ")}, … ${this.paths.at(-1)}` : this.paths.join(", ")
    return `expected the paths of activations, ${some}, with * for any one step, but ${this.expose} matches none of them`
  }
}

/** Name of a model's input and shape of one example of it; the name is `x` unless an imported network has its own. */
export const input = ({
  circuit,
  preprocessing
}: Pick<Trained.Trained, "circuit" | "preprocessing">): Circuit.Input => {
  if (preprocessing !== undefined) return { name: "x", example: [preprocessing.columns.length] }
  const own = names(circuit)?.input
  return own === undefined || Circuit.parameters(circuit)[own.name] !== undefined
    ? { name: "x", example: [Circuit.inputs(circuit)] }
    : own
}

/** Names that an imported network had where it came from. */
export const names = (circuit: Circuit.Circuit): Circuit.Names | undefined =>
  circuit._tag === "Block" ? circuit.graph?.names : undefined

/** The free run from the raw columns on, and ẑ: [batch, …] of each of its places. */
export interface Activations {
  /** The preprocessed input, where that is not `x` itself. */
  readonly encoded?: Tensor.Tensor
  /** Arrays of the preprocessing, by their names among the inputs. */
  readonly constants: Engine.Arrays
  readonly freeRun: Program.Program
  readonly places: ReadonlyMap<string, Tensor.Tensor>
}

/** Builds the free run of a trained circuit with all its activations. */
export const make = Effect.fn("Activations.make")(function* ({
  circuit,
  preprocessing
}: Pick<Trained.Trained, "circuit" | "preprocessing">): Effect.fn.Return<Activations, ShapeMismatch> {
  const free = yield* FreeRun.program(circuit)
  const constants = preprocessing === undefined ? {} : Encoding.constants(preprocessing)
  const { example, name } = input({ circuit, preprocessing })
  const x = Tensor.input(name, ["batch", ...example])
  const { x: rows, ...parameters } = free.inputs
  const inputs: Program.Program["inputs"] = {
    ...parameters,
    [name]: x,
    ...Record.map(constants, ({ shape }, own) => Tensor.input(own, shape))
  }
  const encoded = preprocessing && (yield* Program.check(() => Encoding.apply(preprocessing, x, inputs)))
  const places = new Map<string, Tensor.Tensor>()
  const output = yield* Program.check(() =>
    Evaluation.evaluate(circuit, (name) => inputs[name]!, encoded ?? x.reshape(rows!.shape), {
      sites: new Set(Circuit.sites(circuit).map(({ path }) => path)),
      onCut: (path, ẑ) => {
        places.set(path, ẑ)
        return ẑ
      }
    })
  )
  return { freeRun: Program.fromTensors(inputs, { output }), places, constants, ...(encoded && { encoded }) }
})

/** Activations whose path matches `expose`, with `*` for any one step; fails with `NothingExposed` where there are none. */
export const matching = Effect.fn("Activations.matching")(function* (
  { places }: Activations,
  expose: string
): Effect.fn.Return<Program.Program["outputs"], NothingExposed> {
  // Steps are separated by dots in the paths of circuits, by slashes in those of imported networks.
  const stepsOf = (path: string) => path.split(/[./]/)
  const steps = stepsOf(expose)
  const found = [...places].filter(([path]) => {
    const own = stepsOf(path)
    return own.length === steps.length && own.every((step, i) => steps[i] === "*" || steps[i] === step)
  })
  if (found.length === 0) return yield* new NothingExposed({ expose, paths: [...places.keys()] })
  return Object.fromEntries(found)
})
