/**
 * Several runs side by side: a row for each seed, then their summary.
 */
import { Statistics, Seeds as Text } from "@rai/experiments"
import { Effect } from "effect"
import * as Report from "./Report.ts"
import type { Summary } from "./Summary.ts"
import * as Table from "./Table.ts"
import { UsageWrong } from "./UsageWrong.ts"

/** Parses the value of `--seeds`. */
export const parse = (text: string): Effect.Effect<ReadonlyArray<number>, UsageWrong> =>
  Effect.mapError(
    Text.parse(text),
    ({ came }) =>
      new UsageWrong({
        expected: "seeds such as 0-9 or 0,2,5, at most a thousand",
        came: `«${came}» came`,
        advice: "write whole numbers, the lower end of a range first"
      })
  )

/** The accuracy of a run: on test data where there are any, else on the training data. */
const accuracy = ({ freeRunAccuracy, testAccuracy }: Summary): number => testAccuracy ?? freeRunAccuracy ?? Number.NaN

/** Mean, deviation, median and lowest accuracy, and the median time. */
export const summary = (runs: ReadonlyArray<Summary>) => {
  const accuracies = runs.map(accuracy)
  return {
    meanAccuracy: Statistics.mean(accuracies),
    deviation: Statistics.deviation(accuracies),
    medianAccuracy: Statistics.median(accuracies),
    lowestAccuracy: Math.min(...accuracies),
    medianSeconds: Statistics.median(runs.map(({ seconds }) => seconds))
  }
}

/** The table, and a line that summarises the runs. */
export const lines = (runs: ReadonlyArray<Summary>): ReadonlyArray<string> => {
  const { deviation, lowestAccuracy, meanAccuracy, medianAccuracy, medianSeconds } = summary(runs)
  const losses = runs.map(({ freeRunLoss, testLoss }) => testLoss ?? freeRunLoss)
  return [
    ...table(
      "seed",
      runs.map((run) => [String(run.seed), [run]])
    ),
    Number.isNaN(meanAccuracy)
      ? `loss ${Report.number(Statistics.mean(losses))} ± ${Report.number(Statistics.deviation(losses))} (mean ± deviation over ${runs.length} seeds), highest ${Report.number(Math.max(...losses))}; median time ${Report.seconds(medianSeconds)}`
      : `accuracy ${Report.percent(meanAccuracy)} ± ${Report.percent(deviation)} (mean ± deviation over ${runs.length} seeds), median ${Report.percent(medianAccuracy)}, lowest ${Report.percent(lowestAccuracy)}; median time ${Report.seconds(medianSeconds)}`,
    ...compared(runs)
  ]
}

/** This plan beside backpropagation alone from the same start, where both were run. */
export const compared = (runs: ReadonlyArray<Summary>): ReadonlyArray<string> => {
  const others = runs.flatMap(({ backpropagation }) => backpropagation ?? [])
  if (others.length === 0) return []
  const rows = [["this plan", runs] as const, ["backpropagation alone", others] as const]
  return ["", ...table(runs.length === 1 ? "from the same start" : "means, from the same start", rows)]
}

const head = ["steps", "time", "training loss", "training accuracy", "test loss", "test accuracy", "test R²"]

/** A row for each group of runs, without columns that are empty in all of them, such as accuracy for regression. */
const table = (
  first: string,
  groups: ReadonlyArray<readonly [name: string, runs: ReadonlyArray<Summary>]>
): ReadonlyArray<string> => {
  const rows = groups.map(([name, runs]) => [name, ...averaged(runs)])
  const isThere = (column: number) => rows.some((row) => row[column] !== "–")
  return Table.lines([[first, ...head], ...rows].map((row) => row.filter((_, column) => isThere(column))))
}

const averaged = (runs: ReadonlyArray<Summary>): ReadonlyArray<string> => {
  const of = (value: (run: Summary) => number | null) => {
    const values = runs.map(value)
    return values.includes(null) ? null : Statistics.mean(values as ReadonlyArray<number>)
  }
  return [
    String(Math.round(of(({ steps }) => steps)!)),
    Report.seconds(of(({ seconds }) => seconds)!),
    Report.number(of(({ freeRunLoss }) => freeRunLoss)),
    Report.percent(of(({ freeRunAccuracy }) => freeRunAccuracy)),
    Report.number(of(({ testLoss }) => testLoss)),
    Report.percent(of(({ testAccuracy }) => testAccuracy)),
    // Runs of earlier versions kept no metrics.
    Report.number(of(({ testMetrics }) => (testMetrics?.task === "regression" ? testMetrics.r2 : null)))
  ]
}
