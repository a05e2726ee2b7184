/**
 * An optimiser is data and two pure functions: its initial state for a parameter, and one step.
 */
import type { NdArray } from "../tensor/NdArray.ts"
import type { Tensor } from "../tensor/Tensor.ts"

/** The optimiser's state for one parameter, by name. */
export type Slots = Readonly<Record<string, Tensor>>

/** The settings of a rule other than its rate, by name; printed with it. */
export type Settings = Readonly<Record<string, number>>

/** A first-order rule: computes the next parameter and slots from a parameter, its gradient, its slots and the rate of this step. */
export interface Optimizer {
  readonly name: string
  /** The rate at which a phase begins; a curve or a careful phase changes it from step to step. */
  readonly rate: number
  /** The settings that differ from the rule's defaults. */
  readonly settings: Settings
  /** The slots before the first step; none is called `z`, `u`, `noise`, `good`, `lost` or `gradient`, as a run calls arrays of its own. */
  readonly initial: (shape: ReadonlyArray<number>, rate: number) => Readonly<Record<string, NdArray>>
  /**
   * `rate`: []; the other tensors have the parameter's shape, or []. A slot of [] is one number of each example, [examples, 1], for auxiliaries of
   * which each batch moves some.
   */
  readonly update: (
    parameter: Tensor,
    gradient: Tensor,
    slots: Slots,
    rate: Tensor
  ) => { readonly parameter: Tensor; readonly slots: Slots }
  /**
   * Whether the rule moves each number by itself; small arrays are then moved as one. A rule made of such a one with an update that looks at a whole
   * array does not: its formula shows that.
   */
  readonly elementwise?: boolean
  /** For a rule that applies to hidden matrices only: the rule for biases and the output map. */
  readonly others?: Optimizer
}

/** The settings that differ from the defaults. */
export const changed = <S extends Settings>(defaults: S, given: Partial<S>): Settings =>
  Object.fromEntries(
    Object.entries(given).filter(([name, value]) => value !== undefined && value !== defaults[name])
  ) as Settings

/** Prints the rule as `--plan` takes it: `rprop=0.001`, `sgd=0.1+momentum=0.5`. */
export const print = ({ name, rate, settings }: Optimizer): string =>
  [`${name}=${rate}`, ...Object.entries(settings).map(([setting, value]) => `${setting}=${value}`)].join("+")
