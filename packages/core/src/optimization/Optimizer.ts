/**
 * An optimiser is data and two pure functions: what it remembers of a parameter at first, and one step.
 */
import type { NdArray } from "../tensor/NdArray.ts"
import type { Tensor } from "../tensor/Tensor.ts"

/** What an optimiser remembers of one parameter, by name. */
export type Slots = Readonly<Record<string, Tensor>>

/** A first-order rule: from a parameter, its gradient and the slots, the next parameter and slots. */
export interface Optimizer {
  readonly name: string
  readonly rate: number
  readonly initial: (shape: ReadonlyArray<number>) => Readonly<Record<string, NdArray>>
  readonly update: (
    parameter: Tensor,
    gradient: Tensor,
    slots: Slots
  ) => { readonly parameter: Tensor; readonly slots: Slots }
  /** The same rule at another rate. */
  readonly withRate: (rate: number) => Optimizer
}
