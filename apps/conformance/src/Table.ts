/**
 * The outcomes of the cases: passed, failed and not supported by operator and operator set, with the reasons.
 */
import type { OperatorCase } from "@rai/export/reading"

type Outcomes = ReadonlyArray<OperatorCase.Outcome>

const of = (outcomes: Outcomes, result: OperatorCase.Outcome["result"]): Outcomes =>
  outcomes.filter((outcome) => outcome.result === result)

/** The operator that a case tests: the single one of its model, or "several together". */
const subject = ({ operators: [only, ...others] }: OperatorCase.Outcome): string =>
  only === undefined ? "none" : others.length === 0 ? only : "several together"

const counts = (outcomes: Outcomes): string =>
  (["passed", "failed", "not supported"] as const)
    .map((result) => [result, of(outcomes, result).length] as const)
    .filter(([, n]) => n > 0)
    .map(([result, n]) => `${n} ${result}`)
    .join(", ")

/** One line per operator and operator set, then the reasons for unsupported cases, then each failure. */
export const lines = (engine: string, outcomes: Outcomes): ReadonlyArray<string> => {
  const groups = Map.groupBy(outcomes, (outcome) => `${subject(outcome)}, operator set ${outcome.opset}`)
  const failed = of(outcomes, "failed").map(({ name, reason }) => `failed ${name}: ${reason}`)
  const reasons = Map.groupBy(of(outcomes, "not supported"), ({ name, reason = "" }) => reason.replace(`${name}: `, ""))
  const why = [...reasons]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([reason, own]) => `${own.length} not supported: ${reason}`)
  const each = [...groups].toSorted(([a], [b]) => a.localeCompare(b)).map(([name, own]) => `  ${name}: ${counts(own)}`)
  return [...each, ...why, ...failed, `${engine}: ${counts(outcomes)}`]
}
