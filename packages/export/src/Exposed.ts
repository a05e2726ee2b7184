/**
 * Activations within a circuit as outputs of its model.
 */
import { Circuit, Evaluation, Program, type ShapeMismatch, type Tensor } from "@rai/core"
import { Effect, Schema } from "effect"

/** Paths that no activation of the circuit has. */
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

/** The program of a free run with ẑ of each place whose path matches, by its path: [batch, …]. */
export const add = Effect.fn("Exposed.add")(function* (
  program: Program.Program,
  circuit: Circuit.Circuit,
  expose: string
): Effect.fn.Return<Program.Program, ShapeMismatch | NothingExposed> {
  const paths = Circuit.sites(circuit).map(({ path }) => path)
  const steps = expose.split(".")
  const matching = (path: string) => {
    const own = path.split(".")
    return own.length === steps.length && own.every((step, i) => steps[i] === "*" || steps[i] === step)
  }
  const sites = new Set(paths.filter(matching))
  if (sites.size === 0) return yield* new NothingExposed({ expose, paths })
  const exposed: Record<string, Tensor.Tensor> = {}
  yield* Program.check(() =>
    Evaluation.evaluate(circuit, (name) => program.inputs[name]!, program.inputs.x!, {
      sites,
      onCut: (path, ẑ) => {
        exposed[path] = ẑ
        return ẑ
      }
    })
  )
  return Program.fromTensors(program.inputs, { ...program.outputs, ...exposed })
})
