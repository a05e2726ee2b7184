/**
 * Initialisers: the start of the parameters for a circuit and a seed, the same arrays on every machine.
 */
import type { Arrays } from "../engine/Engine.ts"
import * as Pseudorandom from "../random/Pseudorandom.ts"
import * as NdArray from "../tensor/NdArray.ts"
import * as Activation from "./Activation.ts"
import type { Parameter } from "./Block.ts"
import * as Circuit from "./Circuit.ts"
import * as Coordinates from "./Coordinates.ts"
import * as Orthogonal from "./Orthogonal.ts"
import * as Wires from "./Wires.ts"

/** Makes a circuit's parameters from a seed, by full name, float32. */
export type Initializer = (circuit: Circuit.Circuit, seed: number) => Arrays

type Draw = (parameter: Parameter, size: number, random: Pseudorandom.Pseudorandom) => Iterable<number>

/** N(0, 1), the start of embeddings, as in `torch.nn.Embedding`. */
const normal: Draw = (_, size, random) => random.normals(size)

const each =
  (draw: Draw): Initializer =>
  (circuit, seed) => {
    const random = Pseudorandom.stream(seed, "parameters")
    return Object.fromEntries(
      Object.entries(Circuit.parameters(circuit)).map(([name, parameter]) => [
        name,
        started(parameter) ??
          NdArray.make(
            parameter.shape,
            (parameter.role === "embedding" ? normal : draw)(parameter, NdArray.size(parameter.shape), random)
          )
      ])
    )
  }

/** The start of a parameter that has one of its own, whatever the initialiser. */
const started = ({ initial, shape }: Parameter): NdArray.NdArray | undefined =>
  typeof initial === "number" ? NdArray.full(shape, initial) : initial && NdArray.make(shape, repeated(initial, shape))

/** The numbers of an array of one turn, as often as a repeated block has turns. */
const repeated = ({ data, shape: own }: NdArray.NdArray, shape: ReadonlyArray<number>): Iterable<number> =>
  own.length < shape.length ? Array.from({ length: NdArray.size(shape) }, (_, i) => data[i % data.length]!) : data

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

/** Weights N(0, 1/fan_in), biases 0 (LeCun et al. 1998). */
export const lecun: Initializer = each(({ fanIn, role }, size, random) =>
  role === "bias" ? zeros(size) : random.normals(size).map((x) => x / Math.sqrt(fanIn))
)

/** All weights with orthonormal rows or columns, whichever are fewer (Saxe et al. 2014), biases 0. */
export const semiOrthogonal: Initializer = (circuit, seed) =>
  eachMap(circuit, seed, ({ bias, inputs, outputs, random, weight }) => {
    bias.fill(0)
    weight.set(Orthogonal.make(inputs, outputs, random))
  })

/**
 * The well-scaled start. Hidden maps are semi-orthogonal with gain 1 and bias 0, so that signals keep their length through any depth; the last map is
 * as in `pytorch`; the first is twice `pytorch`'s, so that the functions after it bend where the data lie (functions that bend at 0 do so at any
 * length). If only relu and its kin stand between the maps, the maps are mirrored, see `mirrored`; otherwise a map after one of them has gain √2.
 * Maps next to a sigmoid get this start in tanh coordinates.
 */
export const orthogonal: Initializer = (circuit, seed) => {
  const wires = Wires.make(circuit)
  const every = (kinds: ReadonlySet<string>) => [...kinds].every((kind) => Activation.mirroring.has(kind))
  const maps = Circuit.sites(circuit).filter(({ block }) => Circuit.isLinear(block))
  if (maps.length > 1 && maps.slice(1).every(({ path }) => every(wires.get(path)!.input.writers))) {
    return mirrored(circuit, seed)
  }
  const start = eachMap(circuit, seed, ({ bias, branches, first, inputs, last, outputs, path, random, weight }) => {
    const { input, output } = wires.get(path)!
    // Where mirroring is not possible, the gain makes up for the half of the signal that relu and its kin remove.
    const gain = every(input.writers) ? Math.SQRT2 : 1
    const entering = every(output.readers) ? 1 : 2
    if (last) return
    if (first) {
      for (const values of [weight, bias]) values.set(values.map((value) => entering * value))
      return
    }
    bias.fill(0)
    weight.set(shortened(Orthogonal.make(inputs, outputs, random), branches).map((w) => gain * w))
  })
  // Sigmoids start as if they were tanh, even where the coordinates themselves are not available.
  return Coordinates.fromTanh(circuit, start)
}

/**
 * The mirrored start, for relu and its kin: W = [[Q, −Q], [−Q, Q]] with Q semi-orthogonal, so that the circuit starts out linear (Balduzzi et al.
 * 2017, «looks linear»). Of an odd width, the one unit left over is not passed on.
 */
export const mirrored: Initializer = (circuit, seed) =>
  eachMap(circuit, seed, ({ bias, branches, first, inputs, last, outputs, random, weight }) => {
    if (last) return
    if (first) {
      Orthogonal.mirror(weight, outputs)
      Orthogonal.mirror(bias, outputs)
    } else {
      bias.fill(0)
      weight.set(shortened(Orthogonal.mirrored(inputs, outputs, random), branches))
    }
  })

/** Scales maps within residual blocks by 1/√blocks, so that the sum of all of them keeps its length. */
const shortened = (W: Float64Array, branches: number): Float64Array =>
  branches === 0 ? W : W.map((w) => w / Math.sqrt(branches))

interface Map {
  readonly path: string
  readonly inputs: number
  readonly outputs: number
  readonly first: boolean
  readonly last: boolean
  /** Number of residual blocks in the circuit if the map lies within one, else 0. */
  readonly branches: number
  readonly random: Pseudorandom.Pseudorandom
  /** Row-major [inputs, outputs], and `bias` [outputs]; changed in place. */
  readonly weight: Float32Array
  readonly bias: Float32Array
}

/** Starts as `pytorch` does and changes each linear map, in order of evaluation. */
const eachMap = (circuit: Circuit.Circuit, seed: number, change: (map: Map) => void): Arrays => {
  const random = Pseudorandom.stream(seed, "orthogonal")
  const start = pytorch(circuit, seed)
  const sites = Circuit.sites(circuit)
  const maps = sites.filter(({ block }) => Circuit.isLinear(block))
  const part = (name: string, turn: number, size: number) =>
    (start[name]!.data as Float32Array).subarray(turn * size, (turn + 1) * size)
  const isWithin = Circuit.withinResidual(sites)
  const sums = sites.filter(({ block }) => block.kind === "residual").length
  maps.forEach(({ block, leaf, path, turn }, i) => {
    const [inputs, outputs] = block.parameters.weight!.shape as readonly [number, number]
    change({
      path,
      branches: isWithin(path) ? sums : 0,
      inputs,
      outputs,
      first: i === 0,
      last: i === maps.length - 1,
      random,
      weight: part(Circuit.join(leaf, "weight"), turn, inputs * outputs),
      bias: block.parameters.bias === undefined ? new Float32Array(0) : part(Circuit.join(leaf, "bias"), turn, outputs)
    })
  })
  return start
}

/** The initialisers by their names in `--start`. */
export const table = { pytorch, orthogonal, mirrored, glorot, he, lecun } satisfies Record<string, Initializer>
