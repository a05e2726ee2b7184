/**
 * Feed-forward circuits as immutable data: blocks in sequence, blocks repeated. A circuit says what is computed; where it is cut belongs
 * to the plan.
 */
import type { Shape } from "../tensor/Shape.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import type { Block, Parameter } from "./Block.ts"
import * as Linear from "./Linear.ts"

/** Blocks one after the other. */
export interface Sequence {
  readonly _tag: "Sequence"
  readonly children: ReadonlyArray<Circuit>
}

/** The same block `times` times, each time with parameters of its own, which are kept as one array with a leading axis. */
export interface Repeat {
  readonly _tag: "Repeat"
  readonly child: Circuit
  readonly times: number
}

/** A feed-forward differentiable circuit. */
export type Circuit = Block | Sequence | Repeat

/** A stage of your own: any plain function on tensors, without parameters. */
export const stage = (kind: string, apply: (z: Tensor) => Tensor): Block => ({
  _tag: "Block",
  kind,
  settings: {},
  parameters: {},
  apply
})

/** y = x W + b, with W: [inputs, outputs] and b: [outputs]. */
export const linear = Linear.make

/** σ(x) = 1 / (1 + e^−x) */
export const sigmoid: Block = stage("sigmoid", (z) => z.sigmoid())

/** tanh x */
export const tanh: Block = stage("tanh", (z) => z.tanh())

/** max(x, 0) */
export const relu: Block = stage("relu", (z) => z.relu())

/** x */
export const identity: Block = stage("identity", (z) => z)

/** The activation functions by the names that the option `activation` takes. */
export const activations = { sigmoid, tanh, relu, identity }

/** The name of an activation function. */
export type Activation = keyof typeof activations

/** Blocks one after the other: ẑ = f_T(… f_1(x)). */
export const sequence = (...children: ReadonlyArray<Circuit>): Sequence => ({ _tag: "Sequence", children })

/** `child` repeated `times` times; its output must fit its input. */
export const repeat = (child: Circuit, times: number): Repeat => ({ _tag: "Repeat", child, times })

/**
 * A multilayer perceptron: linear maps between the widths, the activation function between them, none after the last.
 * Runs of equal hidden widths become one repeated block, so that deep circuits stay a handful of operations.
 *
 * ```ts
 * import { Circuit } from "@rai/core"
 *
 * const circuit = Circuit.perceptron([2, ...Array(100).fill(100), 1], { activation: "sigmoid" })
 * Circuit.print(circuit) // => "linear 2→100, 99 × (sigmoid, linear 100→100), sigmoid, linear 100→1"
 * Circuit.parameterCount(circuit) // => 1000301
 * ```
 */
export const perceptron = (
  widths: ReadonlyArray<number>,
  options: { readonly activation?: Activation } = {}
): Sequence => {
  const f = activations[options.activation ?? "sigmoid"]
  const children: Array<Circuit> = [linear(widths[0]!, widths[1]!)]
  for (let i = 1; i < widths.length - 1; ) {
    const [from, to] = [widths[i]!, widths[i + 1]!]
    let times = 1
    while (from === to && widths[i + times + 1] === to) times++
    if (times > 1) children.push(repeat(sequence(f, linear(from, to)), times))
    else children.push(f, linear(from, to))
    i += times
  }
  return sequence(...children)
}

/** A leaf with its place: `path` is unique, `stack` the lengths of the repeats around it. */
export interface Leaf {
  readonly path: string
  readonly block: Block
  readonly stack: ReadonlyArray<number>
}

/** `1.*` of `1` and `*` */
export const join = (path: string, step: string | number): string => (path === "" ? String(step) : `${path}.${step}`)

/** The leaves in order of evaluation; a repeated one once, with `*` for its turn. */
export const leaves = (circuit: Circuit, path = "", stack: ReadonlyArray<number> = []): ReadonlyArray<Leaf> => {
  switch (circuit._tag) {
    case "Block":
      return [{ path, block: circuit, stack }]
    case "Sequence":
      return circuit.children.flatMap((child, i) => leaves(child, join(path, i), stack))
    case "Repeat":
      return leaves(circuit.child, join(path, "*"), [...stack, circuit.times])
  }
}

/** One evaluation of a leaf: turn 17 of the leaf `1.*.1` is the site `1.17.1`, the 17th of the arrays that the leaf's parameters are stacked in. */
export interface Site {
  readonly path: string
  readonly leaf: string
  readonly turn: number
  readonly block: Block
}

/** Every site in order of evaluation. */
export const sites = (circuit: Circuit, path = "", leaf = "", turn = 0): ReadonlyArray<Site> => {
  switch (circuit._tag) {
    case "Block":
      return [{ path, leaf, turn, block: circuit }]
    case "Sequence":
      return circuit.children.flatMap((child, i) => sites(child, join(path, i), join(leaf, i), turn))
    case "Repeat":
      return Array.from({ length: circuit.times }, (_, t) =>
        sites(circuit.child, join(path, t), join(leaf, "*"), turn * circuit.times + t)
      ).flat()
  }
}

/** Every parameter by its full name, `1.*.1.weight`; those of repeated blocks with the leading axes of their repeats. */
export const parameters = (circuit: Circuit): Readonly<Record<string, Parameter>> =>
  Object.fromEntries(
    leaves(circuit).flatMap(({ block, path, stack }) =>
      Object.entries(block.parameters).map(([name, parameter]) => [
        join(path, name),
        { ...parameter, shape: [...stack, ...parameter.shape] }
      ])
    )
  )

/** How many numbers are trained. */
export const parameterCount = (circuit: Circuit): number =>
  Object.values(parameters(circuit)).reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0)

/** The shapes of the parameters, as a program's inputs. */
export const signature = (circuit: Circuit): Readonly<Record<string, Shape>> =>
  Object.fromEntries(Object.entries(parameters(circuit)).map(([name, { shape }]) => [name, shape]))

/** The widths that go in and come out, of circuits that begin and end with a linear map. */
export const widths = (circuit: Circuit): { readonly inputs: number; readonly outputs: number } => {
  const maps = leaves(circuit).filter(({ block }) => block.kind === "linear")
  return { inputs: maps[0]?.block.settings.inputs ?? 0, outputs: maps.at(-1)?.block.settings.outputs ?? 0 }
}

/** The number of linear maps, repeats unrolled: T for a perceptron. */
export const depth = (circuit: Circuit): number =>
  leaves(circuit)
    .filter(({ block }) => block.kind === "linear")
    .reduce((total, { stack }) => total + stack.reduce((a, b) => a * b, 1), 0)

/** The circuit on one line. */
export const print = (circuit: Circuit): string => {
  switch (circuit._tag) {
    case "Block": {
      const { inputs, outputs } = circuit.settings
      return inputs === undefined ? circuit.kind : `${circuit.kind} ${inputs}→${outputs}`
    }
    case "Sequence":
      return circuit.children.map(print).join(", ")
    case "Repeat":
      return `${circuit.times} × (${print(circuit.child)})`
  }
}
