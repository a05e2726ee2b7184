/**
 * What is measured at intervals during training.
 */
import { Schema } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import type { Arrays } from "../engine/Engine.ts"

const Number64 = Schema.Number

/** The state of a run after a step, as the free run and the relaxed objective see it. */
export class Measurement extends Schema.Class<Measurement>("@rai/core/Measurement")({
  /** L_y of the free run on the training data. */
  freeRunLoss: Number64,
  /** The share of training examples that the free run gets right; absent for regression. */
  freeRunAccuracy: Schema.optionalKey(Number64),
  /** L_y of the free run on the validation data, where there are any, and the share of them that it gets right. */
  validationLoss: Schema.optionalKey(Number64),
  validationAccuracy: Schema.optionalKey(Number64),
  /** L of eq. 4, in relaxing phases. */
  relaxedLoss: Schema.optionalKey(Number64),
  /** The relaxation gap: free-run loss − relaxed loss. */
  relaxationGap: Schema.optionalKey(Number64),
  /** mean((z − ẑ)²) of each cut, in order of evaluation. */
  residuals: Schema.Array(Number64),
  /** ‖∂L/∂θ_t‖ of each stage with parameters, in order. */
  gradientNorms: Schema.Array(Number64)
}) {}

/** A measurement from what the phase's program `measure` reported, whose losses are in units of `lossUnit`. */
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
  const [correct, validated] = ["freeRunCorrect", "validationCorrect"].map(scalar)
  return new Measurement({
    freeRunLoss: freeRunLoss!,
    ...(correct === undefined ? {} : { freeRunAccuracy: correct / examples }),
    ...(validationLoss === undefined ? {} : { validationLoss }),
    ...(validated === undefined ? {} : { validationAccuracy: validated / validationExamples }),
    ...(relaxedLoss === undefined ? {} : { relaxedLoss, relaxationGap: freeRunLoss! - relaxedLoss }),
    residuals: Array.from(report.residuals?.data ?? []),
    gradientNorms: Circuit.sites(circuit)
      .map(({ block, leaf, turn }) =>
        Object.entries(block.parameters).flatMap(([name, parameter]) =>
          Circuit.isTrained(parameter) ? [report[`square/${Circuit.join(leaf, name)}`]!.data[turn]!] : []
        )
      )
      .filter((squares) => squares.length > 0)
      .map((squares) => Math.sqrt(squares.reduce((a, b) => a + b)))
  })
}
