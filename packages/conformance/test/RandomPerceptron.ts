/** Random perceptrons, cuts and batches as data, so that a failing property can be shrunk. */
import { Circuit, type Cut, type Engine } from "@rai/core"
import { Schema } from "effect"
import { Numbers } from "../src/index.ts"
import type * as CircuitCases from "./CircuitCases.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Hidden widths come in runs of equal ones, so that some blocks repeat. */
export const schema = Schema.Struct({
  inputs: between(1, 4),
  hidden: Schema.Array(Schema.Struct({ width: between(1, 9), times: between(1, 6) })).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(3)
  ),
  outputs: between(1, 3),
  activation: Schema.Literals(Object.keys(Circuit.activations) as ReadonlyArray<Circuit.Activation>),
  residual: Schema.Boolean,
  batch: between(1, 7),
  after: Schema.Literals(["linear", "activation", "residual"]),
  every: between(1, 5),
  output: Schema.Boolean,
  energy: Schema.Literals(["mean", "sum"]),
  λ: Schema.Literals([0, 0.5, 1, 2]),
  seed: between(0, 1e6)
})

/** A random circuit with everything that the relaxed objective needs. */
export type RandomPerceptron = typeof schema.Type

/** Converts it to the settings of a relaxed case; where the random cuts select nothing, the first hidden activation is cut. */
export const settings = (random: RandomPerceptron): CircuitCases.Settings => {
  const hidden = random.hidden.flatMap(({ times, width }) => Array<number>(times).fill(width))
  const circuit = Circuit.perceptron([random.inputs, ...hidden, random.outputs], {
    activation: random.activation,
    residual: random.residual
  })
  const { batch, energy, every, inputs, output, outputs, seed, λ } = random
  // Only a residual circuit with equal widths has sums to cut.
  const sums = Circuit.sites(circuit).filter(({ block }) => block.kind === "residual").length
  const after = random.after === "residual" && sums === 0 ? "linear" : random.after
  const places = after === "residual" ? sums : hidden.length
  const cut: Cut.Cut = { after, every: Math.min(every, places), output }
  return { circuit, cut, inputs, outputs, batch, energy, seed, λ }
}

/**
 * Returns parameters of the size that initialisers choose, ±√3/√fan_in, divided by √k within k residual blocks, so that deep activations
 * neither vanish nor grow.
 */
export const parameters = (circuit: Circuit.Circuit, seed: number): Engine.Arrays => {
  const sums = Circuit.sites(circuit).filter(({ block }) => block.kind === "residual")
  return Object.fromEntries(
    Object.entries(Circuit.parameters(circuit)).map(([name, { fanIn, shape }], i) => {
      const within = sums.some(({ leaf }) => name.startsWith(`${leaf}.`))
      const bound = Math.sqrt(3 / fanIn) / (within ? Math.sqrt(sums.length) : 1)
      return [name, Numbers.array(shape, seed + i, { domain: [-bound, bound], turn: 3 })]
    })
  )
}
