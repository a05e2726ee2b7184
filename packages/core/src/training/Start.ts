/**
 * How weights start, by name: the initialisers, and starts that also look at the inputs.
 */
import { Effect, Record } from "effect"
import type * as Circuit from "../circuit/Circuit.ts"
import * as Coordinates from "../circuit/Coordinates.ts"
import * as Initializer from "../circuit/Initializer.ts"
import type { Arrays, Engine, EngineFailed } from "../engine/Engine.ts"
import * as Sweep from "../relaxation/Sweep.ts"
import * as UnitVariance from "../relaxation/UnitVariance.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"

/** Computes initial parameters by full name from a circuit, a seed and the training inputs [examples, inputs]. */
export type Start = (
  circuit: Circuit.Circuit,
  seed: number,
  inputs: NdArray
) => Effect.Effect<Arrays, ShapeMismatch | EngineFailed, Engine>

/**
 * How nonlinear the stages of swept weights may be, relative to those of swept auxiliaries: a higher value separates more of the data at once and
 * so trains sooner, but a hundred examples are then memorised.
 */
const bending = ({ shape: [examples] }: NdArray): number => (examples! < 1000 ? 1 : 2.4)

/** PyTorch's start with its hidden maps swept; for a sigmoid circuit, in tanh coordinates. */
const sweep: Start = (circuit, seed, inputs) => {
  const start = Initializer.pytorch(circuit, seed)
  if (!Coordinates.available(circuit)) {
    return Effect.map(Sweep.make(circuit, start, inputs, { bending: bending(inputs) }), ({ parameters }) => parameters)
  }
  const inTanh = Sweep.make(Coordinates.circuit(circuit), Coordinates.toTanh(circuit, start), inputs, {
    bending: bending(inputs)
  })
  return Effect.map(inTanh, ({ parameters }) => Coordinates.fromTanh(circuit, parameters))
}

const free =
  (initializer: Initializer.Initializer): Start =>
  (circuit, seed) =>
    Effect.sync(() => initializer(circuit, seed))

/** Name of a start, as `--start` takes it. */
export type Name = keyof typeof Initializer.table | "lsuv" | "sweep"

/** All starts by name. */
export const table: Readonly<Record<Name, Start>> = {
  ...Record.map(Initializer.table, free),
  lsuv: (circuit, seed, inputs) => UnitVariance.make(circuit, Initializer.semiOrthogonal(circuit, seed), inputs),
  sweep
}
