/**
 * How training can fail.
 */
import { Data } from "effect"

/** Numbers became NaN or infinite: at `step` of the phase, first in `path`. */
export class NumbersLost extends Data.TaggedError("NumbersLost")<{
  readonly phase: string
  readonly step: number
  readonly rate: number
  readonly path: string
}> {
  override get message(): string {
    const advice =
      this.step === 0
        ? "scale the data down, or begin from another start"
        : `begin again with a lower rate (now ${this.rate}), or let the phase go back by itself with patience=30`
    return `expected finite numbers, but NaN or infinity came at step ${this.step} of ${this.phase}, first in ${this.path}; ${advice}`
  }
}

/** A callback threw or returned no Effect, instead of an Effect that fails. */
export class CallbackFailed extends Data.TaggedError("CallbackFailed")<{
  readonly callback: "onEvent" | "onSnapshot"
  readonly phase: string
  readonly step: number
  readonly reason: string
}> {
  override get message(): string {
    return `expected ${this.callback} to end or to fail, but it threw at step ${this.step} of ${this.phase}: ${this.reason}; see to it, and go on from the last snapshot`
  }
}

/** A plan that does not fit the circuit or the data. */
export class PlanUnfit extends Data.TaggedError("PlanUnfit")<{
  readonly expected: string
  readonly came: string
  readonly advice: string
}> {
  override get message(): string {
    return `expected ${this.expected}, but ${this.came}; ${this.advice}`
  }
}

/** The circuit's input or output width does not match the data. */
export class WidthsMismatch extends Data.TaggedError("WidthsMismatch")<{
  readonly inputs: number
  readonly outputs: number
  readonly features: number
  readonly targets: number
  /** Whether the circuit is an imported network, whose widths are what they are. */
  readonly isImported?: boolean
}> {
  override get message(): string {
    const { features, inputs, isImported = false, outputs, targets } = this
    const task =
      outputs === 1 && targets > 2
        ? ["choose the task regression if the labels are numbers"]
        : outputs === 2 && targets === 1 && (isImported || inputs === features)
          ? ["choose the task classes"]
          : []
    const data = inputs !== features || task.length === 0 ? ["give data with as many inputs and outputs as it has"] : []
    const advice = isImported
      ? [...data, ...task].join(", and ")
      : ["change the first and last width", ...task].join(", or ")
    return `expected a circuit ${features},…,${targets} for data with ${features} inputs and ${targets} outputs, but ${inputs},…,${outputs} came; ${advice}`
  }
}
