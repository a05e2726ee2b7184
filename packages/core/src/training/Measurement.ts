/**
 * What is measured at intervals during training.
 */
import * as Circuit from "../circuit/Circuit.ts"
import type { Arrays } from "../engine/Engine.ts"

/**
 * The state of a run after a step, as the free run and the relaxed objective show it. Both are of the circuit as it is used: batch norms take their
 * running statistics, which lag behind the batch's own that steps train on, so that residuals begin above 0 there.
 */
export interface Measurement {
  /** L_y of the free run on the training data. */
  readonly freeRunLoss: number
  /** Fraction of training examples that the free run gets right; absent for regression. */
  readonly freeRunAccuracy?: number
  /** L_y of the free run on the validation data, if any, and its accuracy on them. */
  readonly validationLoss?: number
  readonly validationAccuracy?: number
  /** L of eq. 4, in relaxing phases. */
  readonly relaxedLoss?: number
  /** The relaxation gap: free-run loss − relaxed loss. */
  readonly relaxationGap?: number
  /** mean((z − ẑ)²) of each cut, in order of evaluation. */
  readonly residuals: ReadonlyArray<number>
  /**
   * The same losses with several targets that are standardised (`TargetUnit`), each target's square errors in shares of its own variance: L_y is then
   * the mean of the shares left, 1 − R². These decide, since the losses above show the target of the largest numbers alone.
   */
  readonly freeRunShare?: number
  readonly validationShare?: number
  readonly relaxedShare?: number
  /** ‖∂L/∂θ_t‖ of each stage with parameters, in order. */
  readonly gradientNorms: ReadonlyArray<number>
}

/** The losses that decide. */
export interface Judged {
  readonly freeRun: number
  readonly validation?: number | undefined
  readonly relaxed?: number | undefined
  readonly gap?: number | undefined
}

/** Returns the losses that decide: in shares of each target's variance where these are measured. */
export const judged = (of: Measurement): Judged => {
  const { freeRunShare, relaxedShare } = of
  if (freeRunShare === undefined) {
    return { freeRun: of.freeRunLoss, validation: of.validationLoss, relaxed: of.relaxedLoss, gap: of.relaxationGap }
  }
  const gap = relaxedShare === undefined ? undefined : freeRunShare - relaxedShare
  return { freeRun: freeRunShare, validation: of.validationShare, relaxed: relaxedShare, gap }
}

/** Builds a measurement from the report of the phase's program `measure`, whose losses are in units of `lossUnit`. */
export const fromReport = (
  circuit: Circuit.Circuit,
  examples: number,
  validationExamples: number,
  report: Arrays,
  lossUnit: number
): Measurement => {
  const scalar = (name: string) => report[name]?.data[0]
  const loss = (name: string) => (report[name] === undefined ? undefined : lossUnit * report[name].data[0]!)
  const [freeRunLoss, relaxedLoss, validationLoss] = ["freeRunLoss", "relaxedLoss", "validationLoss"].map(loss)
  const [freeRunShare, validationShare, relaxedShare] = ["freeRunShare", "validationShare", "relaxedShare"].map(scalar)
  const [correct, validated] = ["freeRunCorrect", "validationCorrect"].map(scalar)
  return {
    freeRunLoss: freeRunLoss!,
    ...(correct === undefined ? {} : { freeRunAccuracy: correct / examples }),
    ...(validationLoss === undefined ? {} : { validationLoss }),
    ...(validated === undefined ? {} : { validationAccuracy: validated / validationExamples }),
    ...(relaxedLoss === undefined ? {} : { relaxedLoss, relaxationGap: freeRunLoss! - relaxedLoss }),
    ...(freeRunShare === undefined ? {} : { freeRunShare }),
    ...(validationShare === undefined ? {} : { validationShare }),
    ...(relaxedShare === undefined ? {} : { relaxedShare }),
    residuals: Array.from(report.residuals?.data ?? []),
    gradientNorms: Circuit.sites(circuit)
      .map(({ block, leaf, turn }) =>
        Object.entries(block.parameters).flatMap(([name, parameter]) =>
          Circuit.isTrained(parameter) ? [report[`gradient/${Circuit.join(leaf, name)}`]!.data[turn]!] : []
        )
      )
      .filter((squares) => squares.length > 0)
      .map((squares) => Math.sqrt(squares.reduce((a, b) => a + b)))
  }
}
