/**
 * Where parameters start: from a circuit and a seed, the same arrays on every machine.
 */
import type { Arrays } from "../engine/Engine.ts"
import * as Pseudorandom from "../random/Pseudorandom.ts"
import * as NdArray from "../tensor/NdArray.ts"
import type { Parameter } from "./Block.ts"
import * as Circuit from "./Circuit.ts"
import * as Coordinates from "./Coordinates.ts"
import * as Orthogonal from "./Orthogonal.ts"

/** From a circuit and a seed, its parameters by full name, float32. */
export type Initializer = (circuit: Circuit.Circuit, seed: number) => Arrays

const each =
  (draw: (parameter: Parameter, size: number, random: Pseudorandom.Pseudorandom) => Iterable<number>): Initializer =>
  (circuit, seed) => {
    const random = Pseudorandom.stream(seed, "parameters")
    return Object.fromEntries(
      Object.entries(Circuit.parameters(circuit)).map(([name, parameter]) => [
        name,
        NdArray.make(parameter.shape, draw(parameter, NdArray.size(parameter.shape), random))
      ])
    )
  }

const zeros = (size: number) => new Float64Array(size)

/** U(±1/√fan_in) for weights and biases, the default of `torch.nn.Linear`. */
export const pytorch: Initializer = each(({ fanIn }, size, random) =>
  random.uniforms(size, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn))
)

/** Weights U(±√(6/(fan_in + fan_out))), biases 0 (Glorot & Bengio 2010). */
export const glorot: Initializer = each(({ fanIn, fanOut, role }, size, random) => {
  const bound = Math.sqrt(6 / (fanIn + fanOut))
  return role === "bias" ? zeros(size) : random.uniforms(size, -bound, bound)
})

/** Weights N(0, 2/fan_in), biases 0 (He et al. 2015). */
export const he: Initializer = each(({ fanIn, role }, size, random) =>
  role === "bias" ? zeros(size) : random.normals(size).map((x) => x * Math.sqrt(2 / fanIn))
)

/**
 * The well-scaled start: first and last map as `pytorch`, hidden maps orthogonal with gain 1 and bias 0, so that signals keep their length
 * through any depth. With relu they are mirrored, W = [[Q, −Q], [−Q, Q]], so that the circuit begins as a linear one; a sigmoid circuit
 * gets this start in tanh coordinates.
 */
export const orthogonal: Initializer = (circuit, seed) => {
  const inTanh = Coordinates.available(circuit)
  const random = Pseudorandom.stream(seed, "orthogonal")
  const start: Record<string, NdArray.NdArray> = { ...pytorch(circuit, seed) }
  const maps = Circuit.sites(circuit).filter(({ block }) => block.kind === "linear")
  const kinds = new Set(Circuit.leaves(circuit).map(({ block }) => block.kind))
  const mirrored = kinds.has("relu") && maps.slice(1).every(({ block }) => block.settings.inputs! % 2 === 0)
  const part = (name: string, turn: number, size: number) =>
    (start[name]!.data as Float32Array).subarray(turn * size, (turn + 1) * size)
  maps.forEach(({ block, leaf, turn }, i) => {
    const { inputs, outputs } = block.settings as { inputs: number; outputs: number }
    const W = part(Circuit.join(leaf, "weight"), turn, inputs * outputs)
    const b = part(Circuit.join(leaf, "bias"), turn, outputs)
    if (i === maps.length - 1) return
    if (i > 0) {
      b.fill(0)
      W.set(mirrored ? Orthogonal.mirrored(inputs, outputs, random) : Orthogonal.make(inputs, outputs, random))
    } else if (mirrored) {
      Orthogonal.mirror(W, outputs)
      Orthogonal.mirror(b, outputs)
    }
  })
  return inTanh ? Coordinates.fromTanh(circuit, start) : start
}

/** The initialisers by the names that `--start` takes. */
export const table = { pytorch, orthogonal, glorot, he } satisfies Record<string, Initializer>

/** The name of an initialiser. */
export type Name = keyof typeof table
