/**
 * The leaf of a circuit: one stage f_t as data.
 */
import type { NdArray } from "../tensor/NdArray.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import type { Graph } from "./Graph.ts"
import type { Kept, Widths } from "./Widths.ts"

/** One trainable array: its shape and what an initialiser needs to know. */
export interface Parameter {
  readonly shape: ReadonlyArray<number>
  /** A statistic is no gradient's: it follows what the batches show. */
  readonly role: "weight" | "bias" | "scale" | "embedding" | "statistic"
  readonly fanIn: number
  readonly fanOut: number
  /** Where it starts, whatever the initialiser. */
  readonly initial?: number | NdArray
}

/** The parameters of a block by their local name, as tensors. */
export type Theta<Name extends string = string> = Readonly<Record<Name, Tensor>>

/** A leaf: ẑ = f(z, θ), any function on tensors. */
export interface Block {
  readonly _tag: "Block"
  /** What kind of stage it is: `linear`, `sigmoid`, …; cuts are chosen by it. */
  readonly kind: string
  /** The settings from which `fromJson` makes it again; `inputs` and `outputs` are what it takes and gives for each example. */
  readonly settings: Readonly<Record<string, number>>
  readonly parameters: Readonly<Record<string, Parameter>>
  /**
   * z: [batch, …] → ẑ: [batch, …]. A formula that names no axis is also called with one more leading axis, where equal stages are computed
   * together.
   */
  readonly apply: (z: Tensor, θ: Theta) => Tensor
  /** What it is in a step of training, where that is something else. */
  readonly training?: Training
  /** Of a network from elsewhere, its program with the places in it, which are cut each by itself. */
  readonly graph?: Graph
}

/** A block that gives as many numbers as it takes, which its type says. */
export type Keeping = Block & Widths<unknown, Kept>

/** A stage that a step of training sees otherwise than the free run does. */
export interface Training {
  /** As the block's own; where `random`, θ holds `uniform` too: numbers from U[0, 1) of z's shape, others for each step. */
  readonly apply: Block["apply"]
  readonly random?: boolean
  /** What the batch says of each statistic among the parameters, in that one's shape. */
  readonly statistics?: (z: Tensor) => Theta
}

/** Whether a stage is a linear map: one whose parameter `weight` is a matrix [fan-in, fan-out], as a convolution's may be. */
export const isLinear = ({ graph, parameters: { weight } }: Block): boolean =>
  graph === undefined && weight?.role === "weight" && weight.shape.length === 2

/** A stage that is one formula, without parameters. */
export const formula = (kind: string, apply: (z: Tensor) => Tensor, settings: Block["settings"] = {}): Block => ({
  _tag: "Block",
  kind,
  settings,
  parameters: {},
  apply
})
