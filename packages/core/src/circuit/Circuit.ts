/**
 * Feed-forward circuits as immutable data: blocks in sequence, side by side, repeated, or with a skip connection. A circuit says what is computed;
 * where it is cut belongs to the plan.
 */
import type { Shape } from "../tensor/Shape.ts"
import { type Activation, activations } from "./Activation.ts"
import { type Block, formula, isLinear, type Parameter } from "./Block.ts"
import * as Graph from "./Graph.ts"
import * as Linear from "./Linear.ts"
import type { Even, Fitting, Gives, OfLayers, Takes, Widths } from "./Widths.ts"

export {
  type Activation,
  activations,
  elu,
  gelu,
  identity,
  leakyRelu,
  relu,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  tanh
} from "./Activation.ts"
export { batchNorm } from "./BatchNorm.ts"
export { isLinear } from "./Block.ts"
export { columns } from "./Columns.ts"
export { conv1d, conv2d } from "./Convolution.ts"
export { dropout } from "./Dropout.ts"
export { embedding } from "./Embedding.ts"
export { flatten, unflatten } from "./Flattening.ts"
export { type End, type Graph, type Input, make as graph, type Names, type Place } from "./Graph.ts"
export { layerNorm } from "./LayerNorm.ts"
export {
  averagePool1d,
  averagePool2d,
  globalAveragePool,
  globalMaxPool,
  maxPool1d,
  maxPool2d
} from "./Pooling.ts"

export { stage } from "./Stage.ts"
export type { Widths } from "./Widths.ts"

/** Blocks in sequence. */
export interface Sequence {
  readonly _tag: "Sequence"
  readonly children: ReadonlyArray<Circuit>
}

/** A block applied `times` times, each turn with its own parameters, which are stored as one array with a leading axis. */
export interface Repeat {
  readonly _tag: "Repeat"
  readonly child: Circuit
  readonly times: number
}

/** A block with a skip connection, z ↦ z + f(z); its output must have the shape of its input. */
export interface Residual {
  readonly _tag: "Residual"
  readonly child: Circuit
}

/** Blocks side by side on the same input, their outputs concatenated along axis 1: units of rows, channels of images and signals. */
export interface Branch {
  readonly _tag: "Branch"
  readonly children: ReadonlyArray<Circuit>
}

/** A feed-forward differentiable circuit. */
export type Circuit = Block | Sequence | Repeat | Residual | Branch

/** y = x W + b, with W: [inputs, outputs] and b: [outputs]; y = x W with `{ bias: false }`. */
export const linear = Linear.make

/** Blocks in sequence: ẑ = f_T(… f_1(x)). The compiler checks that the widths known to it match. */
export const sequence = <const Blocks extends ReadonlyArray<Circuit>>(
  ...children: Blocks & Fitting<Blocks>
): Sequence & Widths<Takes<Blocks>, Gives<Blocks>> => ({ _tag: "Sequence", children })

/** `child` repeated `times` times; its output must fit its input. */
export const repeat = <Child extends Circuit>(
  child: Child & Even<Child>,
  times: number
): Repeat & Widths<Takes<[Child]>, Gives<[Child]>> => ({
  _tag: "Repeat",
  child,
  times
})

/**
 * `child` with a skip connection, z ↦ z + f(z); z and f(z): [batch, …] of the same shape.
 *
 * ```ts
 * import { Circuit } from "@rai/core"
 *
 * const block = Circuit.residual(Circuit.sequence(Circuit.tanh, Circuit.linear(100, 100)))
 * Circuit.print(Circuit.repeat(block, 50)) // => "50 × (residual (tanh, linear 100→100))"
 * ```
 */
export const residual = <Child extends Circuit>(
  child: Child & Even<Child>
): Residual & Widths<Takes<[Child]>, Gives<[Child]>> => ({
  _tag: "Residual",
  child
})

/**
 * Blocks side by side on the same input, z ↦ [f_1(z), …, f_n(z)] along axis 1; z: [batch, …], f_i(z): [batch, n_i, …], equal except for n_i.
 *
 * ```ts
 * import { Circuit } from "@rai/core"
 *
 * const wide = Circuit.branch(Circuit.linear(2, 8), Circuit.sequence(Circuit.linear(2, 4), Circuit.tanh))
 * Circuit.print(Circuit.sequence(wide, Circuit.linear(12, 1))) // => "branch (linear 2→8 | linear 2→4, tanh), linear 12→1"
 * ```
 */
export const branch = (...children: readonly [Circuit, ...Array<Circuit>]): Branch => ({ _tag: "Branch", children })

/**
 * A multilayer perceptron: linear maps between the widths, the activation function between them, none after the last. Runs of equal hidden widths
 * become one repeated block, so that deep circuits stay a handful of operations. With `residual`, each map between equal hidden widths has a skip
 * connection: z ↦ z + f(z) W + b.
 *
 * ```ts
 * import { Circuit } from "@rai/core"
 *
 * const circuit = Circuit.perceptron([2, ...Array(100).fill(100), 1], { activation: "sigmoid" })
 * Circuit.print(circuit) // => "linear 2→100, 99 × (sigmoid, linear 100→100), sigmoid, linear 100→1"
 * Circuit.parameterCount(circuit) // => 1000301
 * ```
 */
export const perceptron = <const Given extends ReadonlyArray<number>>(
  widths: Given,
  options: { readonly activation?: Activation; readonly residual?: boolean } = {}
): Sequence & OfLayers<Given> => {
  const { activation = "sigmoid", residual: around = false } = options
  const f = activations[activation]
  const children: Array<Circuit> = [linear(widths[0]!, widths[1]!)]
  const last = widths.length - 1
  for (let i = 1; i < last; ) {
    const [from, to] = [widths[i]!, widths[i + 1]!]
    // The output map stands alone, even where it is as wide as the others.
    const end = i < last - 1 ? last - 1 : last
    let times = 1
    while (from === to && i + times < end && widths[i + times + 1] === to) times++
    const block = sequence(f, linear(from, to))
    if (around && from === to && i + times < last) {
      children.push(times > 1 ? repeat(residual(block), times) : residual(block))
    } else if (times > 1) children.push(repeat(block, times))
    else children.push(f, linear(from, to))
    i += times
  }
  return sequence(...children) as Sequence & OfLayers<Given>
}

/** A leaf with its place: `path` is unique, `stack` holds the lengths of the repeats around it. */
export interface Leaf {
  readonly path: string
  readonly block: Block
  readonly stack: ReadonlyArray<number>
}

/** Joins a path and a step: `1` and `*` give `1.*`. */
export const join = (path: string, step: string | number): string => (path === "" ? String(step) : `${path}.${step}`)

/** The leaves in order of evaluation; a repeated leaf appears once, with `*` for its turn. */
export const leaves = (circuit: Circuit, path = "", stack: ReadonlyArray<number> = []): ReadonlyArray<Leaf> => {
  switch (circuit._tag) {
    case "Block":
      return [{ path, block: circuit, stack }]
    case "Sequence":
      return circuit.children.flatMap((child, i) => leaves(child, join(path, i), stack))
    case "Repeat":
      return leaves(circuit.child, join(path, "*"), [...stack, circuit.times])
    case "Residual":
      return leaves(circuit.child, join(path, 0), stack)
    case "Branch":
      return circuit.children.flatMap((child, i) => leaves(child, join(path, i), stack))
  }
}

/**
 * One evaluation of a leaf: turn 17, counted from 0, of the leaf `1.*.1` is the site `1.17.1`, entry 17 of the leaf's stacked parameter arrays. The
 * sum of a residual block is a site too, after those of its child, and so is the concatenation of a branch. Each place of a graph is a site of the
 * graph's leaf.
 */
export interface Site {
  readonly path: string
  readonly leaf: string
  readonly turn: number
  readonly block: Block
  /** Whether it is a map between layers, an activation function, or neither. */
  readonly role: Graph.Place["role"]
}

/** Stand-ins at the sites of the sum z + f(z) and of the concatenation: their operands have been computed by then. */
const sum = formula("residual", (z) => z)
const concatenation = formula("concat", (z) => z)

/** All sites in order of evaluation. */
export const sites = (circuit: Circuit, path = "", leaf = "", turn = 0): ReadonlyArray<Site> => {
  switch (circuit._tag) {
    case "Block": {
      const { graph } = circuit
      if (graph === undefined) {
        return [{ path, leaf, turn, block: circuit, role: isLinear(circuit) ? "map" : "activation" }]
      }
      const shares = Graph.shares(circuit)
      return graph.places.map(({ kind, name, role }) => {
        const block = { ...circuit, kind, parameters: shares.get(name)! }
        return { path: join(path, name), leaf, turn, block, role }
      })
    }
    case "Sequence":
      return circuit.children.flatMap((child, i) => sites(child, join(path, i), join(leaf, i), turn))
    case "Repeat":
      return Array.from({ length: circuit.times }, (_, t) =>
        sites(circuit.child, join(path, t), join(leaf, "*"), turn * circuit.times + t)
      ).flat()
    case "Residual":
      return [
        ...sites(circuit.child, join(path, 0), join(leaf, 0), turn),
        { path, leaf, turn, block: sum, role: "other" }
      ]
    case "Branch":
      return [
        ...circuit.children.flatMap((child, i) => sites(child, join(path, i), join(leaf, i), turn)),
        { path, leaf, turn, block: concatenation, role: "other" }
      ]
  }
}

/** Whether a path lies within a residual block, by all the sites of a circuit. */
export const withinResidual = (all: ReadonlyArray<Site>): ((path: string) => boolean) => {
  const sums = new Set(all.flatMap(({ block, path }) => (block.kind === "residual" ? [path] : [])))
  return (path) => {
    for (let end = path.lastIndexOf("."); end >= 0; end = path.lastIndexOf(".", end - 1)) {
      if (sums.has(path.slice(0, end))) return true
    }
    return path !== "" && sums.has("")
  }
}

/** Every parameter by its full name, `1.*.1.weight`; those of repeated blocks have the axes of their repeats in front. */
export const parameters = (circuit: Circuit): Readonly<Record<string, Parameter>> =>
  Object.fromEntries(
    leaves(circuit).flatMap(({ block, path, stack }) =>
      Object.entries(block.parameters).map(([name, parameter]) => [
        join(path, name),
        { ...parameter, shape: [...stack, ...parameter.shape] }
      ])
    )
  )

/** Number of trained parameters. */
export const parameterCount = (circuit: Circuit): number =>
  Object.values(parameters(circuit))
    .filter(isTrained)
    .reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0)

/** Whether a parameter is trained by its gradient. */
export const isTrained = ({ role }: Parameter): boolean => role !== "statistic"

/** The leaves that are the last linear map, `2` in a perceptron with one hidden layer; one of each arm where a circuit ends in a branch. */
export const outputMaps = (circuit: Circuit): ReadonlyArray<Leaf> => {
  const paths = new Set(lastMaps(circuit, ""))
  return leaves(circuit).filter(({ path }) => paths.has(path))
}

const lastMaps = (circuit: Circuit, path: string): ReadonlyArray<string> => {
  switch (circuit._tag) {
    case "Block":
      return isLinear(circuit) ? [path] : []
    case "Sequence":
      return circuit.children.map((child, i) => lastMaps(child, join(path, i))).findLast((own) => own.length > 0) ?? []
    case "Repeat":
      return lastMaps(circuit.child, join(path, "*"))
    case "Residual":
      return lastMaps(circuit.child, join(path, 0))
    case "Branch":
      return circuit.children.flatMap((child, i) => lastMaps(child, join(path, i)))
  }
}

/** Full names of the parameters of the output maps. */
export const outputParameters = (circuit: Circuit): ReadonlySet<string> =>
  new Set(
    outputMaps(circuit).flatMap(({ block, path }) => Object.keys(block.parameters).map((name) => join(path, name)))
  )

/** The shapes of the parameters, as a program's inputs. */
export const signature = (circuit: Circuit): Readonly<Record<string, Shape>> =>
  Object.fromEntries(Object.entries(parameters(circuit)).map(([name, { shape }]) => [name, shape]))

/** Number of inputs, as given by the first stage that knows its own. */
export const inputs = (circuit: Circuit): number =>
  leaves(circuit).find(({ block }) => block.settings.inputs !== undefined)?.block.settings.inputs ?? 0

/** Number of linear maps, repeats unrolled: T for a perceptron. */
export const depth = (circuit: Circuit): number => sites(circuit).filter(({ role }) => role === "map").length

/** Prints the circuit on one line. */
export const print = (circuit: Circuit): string => {
  switch (circuit._tag) {
    case "Block": {
      const { bias, categories, channels, count, filters, inputs, kernel, outputs, rate, units } = circuit.settings
      const [from, to] = [categories ?? inputs ?? channels, outputs ?? filters ?? (categories && units) ?? count]
      const bare = bias === 0 ? " without bias" : ""
      if (from !== undefined && to !== undefined) return `${circuit.kind} ${from}→${to}${bare}`
      const size = kernel ?? units ?? inputs ?? rate
      return size === undefined ? circuit.kind : `${circuit.kind} ${size}`
    }
    case "Sequence":
      return circuit.children
        .map((child) => (child._tag === "Sequence" ? `(${print(child)})` : print(child)))
        .join(", ")
    case "Repeat":
      return `${circuit.times} × (${print(circuit.child)})`
    case "Residual":
      return `residual (${print(circuit.child)})`
    case "Branch":
      return `branch (${circuit.children.map(print).join(" | ")})`
  }
}
