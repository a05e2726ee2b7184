/**
 * How training can fail.
 */
import { Schema } from "effect"

/** The loss became NaN or infinite. */
export class LossNotFinite extends Schema.TaggedError<LossNotFinite>()("LossNotFinite", {
  phase: Schema.String,
  step: Schema.Int,
  rate: Schema.Finite,
  loss: Schema.Number
}) {
  override get message(): string {
    const advice =
      this.step === 0 ? "scale the data down, or begin from another start" : `lower its rate (now ${this.rate})`
    return `expected a finite loss, but ${this.loss} came at step ${this.step} of ${this.phase}; ${advice}`
  }
}

/** The circuit's widths do not fit the data. */
export class WidthsMismatch extends Schema.TaggedError<WidthsMismatch>()("WidthsMismatch", {
  inputs: Schema.Int,
  outputs: Schema.Int,
  features: Schema.Int,
  targets: Schema.Int
}) {
  override get message(): string {
    return `expected a circuit ${this.features},…,${this.targets} for data with ${this.features} inputs and ${this.targets} outputs, but ${this.inputs},…,${this.outputs} came; change the first and last width`
  }
}
