/**
 * The leaf of a circuit: one stage f_t as data.
 */
import type { NdArray } from "../tensor/NdArray.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import type { Graph } from "./Graph.ts"
import type { Kept, Widths } from "./Widths.ts"

/** One array of numbers: its shape and what an initialiser needs to know. */
export interface Parameter {
  readonly shape: ReadonlyArray<number>
  /** A `statistic` follows the batches rather than a gradient. */
  readonly role: "weight" | "bias" | "scale" | "embedding" | "statistic"
  readonly fanIn: number
  readonly fanOut: number
  /** Its initial value, whatever the initialiser. */
  readonly initial?: number | NdArray
}

/** The parameters of a block by their local names, as tensors. */
export type Theta<Name extends string = string> = Readonly<Record<Name, Tensor>>

/** A leaf: ẑ = f(z, θ), any function on tensors. */
export interface Block {
  readonly _tag: "Block"
  /** The kind of stage: `linear`, `sigmoid`, …; cuts select by it. */
  readonly kind: string
  /** The settings from which `fromJson` rebuilds the block; `inputs` and `outputs` are its widths per example. */
  readonly settings: Readonly<Record<string, number>>
  readonly parameters: Readonly<Record<string, Parameter>>
  /**
   * z: [batch, …] → ẑ: [batch, …]. Where equal stages are computed together, a formula that names no axis is also called with one more leading axis.
   */
  readonly apply: (z: Tensor, θ: Theta) => Tensor
  /** Whether it only rearranges, selects or averages numbers, so that its output has the unit of measure of its input. */
  readonly isPassing?: true
  /** Its behaviour in a training step, where that differs from `apply`. */
  readonly training?: Training
  /** The program of an imported network, with its places, each of which can be cut. */
  readonly graph?: Graph
}

/** A block whose output is as wide as its input, as its type records. */
export type Keeping = Block & Widths<unknown, Kept>

/** A stage that behaves differently in a training step than in the free run. */
export interface Training {
  /** Takes the place of the block's `apply`. If `random`, θ also holds `uniform`: numbers from U[0, 1) in z's shape, new in each step. */
  readonly apply: Block["apply"]
  readonly random?: boolean
  /** The batch's own value of each statistic among the parameters, in that parameter's shape. */
  readonly statistics?: (z: Tensor) => Theta
}

/** Whether a stage is a linear map: its parameter `weight` is a matrix [fan-in, fan-out], which includes convolutions. */
export const isLinear = ({ graph, parameters: { weight } }: Block): boolean =>
  graph === undefined && weight?.role === "weight" && weight.shape.length === 2

/** A stage that is a single formula without parameters. */
export const formula = (kind: string, apply: (z: Tensor) => Tensor, settings: Block["settings"] = {}): Block => ({
  _tag: "Block",
  kind,
  settings,
  parameters: {},
  apply
})
