/**
 * The runs of a contestant summed up in one row: mean, deviation, lowest, median time.
 */
import type { Contestant } from "./Contestant.ts"
import * as Format from "./Format.ts"
import type { Table } from "./Page.ts"
import type { Run } from "./Run.ts"
import * as Statistics from "./Statistics.ts"

/** One row; accuracies are the free run's, losses and times are medians. */
export interface Row {
  readonly name: string
  readonly control: boolean
  readonly runs: number
  /** Number of runs that diverged to NaN or infinity ("lost their numbers"). */
  readonly lost: number
  /** Test accuracy of each run, in the order of the seeds. */
  readonly accuracies: ReadonlyArray<number>
  /** Accuracies on the half of the test data on which the best contestant is judged; `picking` is the mean on the half on which it is picked. */
  readonly judged: ReadonlyArray<number>
  readonly picking: number
  readonly meanAccuracy: number
  readonly deviation: number
  readonly lowestAccuracy: number
  readonly trainingAccuracy: number
  readonly trainingLoss: number
  readonly relaxedLoss: number | undefined
  readonly relaxationGap: number | undefined
  readonly relaxedAlone: number | undefined
  readonly steps: number
  readonly seconds: number
}

/** Sums up a contestant's runs. */
export const of = ({ control = false, name }: Contestant, runs: ReadonlyArray<Run<unknown>>): Row => {
  const accuracies = runs.map(({ accuracy }) => accuracy)
  const kept = runs.filter(({ lost }) => lost === undefined)
  const known = (value: (run: Run<unknown>) => number | undefined): ReadonlyArray<number> =>
    runs.map(value).filter((number) => number !== undefined)
  const middle = (value: (run: Run<unknown>) => number | undefined) => {
    const values = known(value)
    return values.length === 0 ? undefined : Statistics.median(values)
  }
  const alone = known(({ relaxedAlone }) => relaxedAlone)
  return {
    name,
    control,
    runs: runs.length,
    lost: runs.length - kept.length,
    accuracies,
    judged: runs.map(({ judging }) => judging),
    picking: Statistics.mean(runs.map(({ picking }) => picking)),
    meanAccuracy: Statistics.mean(accuracies),
    deviation: Statistics.deviation(accuracies),
    lowestAccuracy: Math.min(...accuracies),
    trainingAccuracy: Statistics.mean(runs.map(({ trainingAccuracy }) => trainingAccuracy)),
    trainingLoss: Statistics.median(kept.map(({ trainingLoss }) => trainingLoss)),
    relaxedLoss: middle(({ relaxedLoss }) => relaxedLoss),
    relaxationGap: middle(({ relaxationGap }) => relaxationGap),
    relaxedAlone: alone.length === 0 ? undefined : Statistics.mean(alone),
    steps: Statistics.median(runs.map(({ steps }) => steps)),
    seconds: Statistics.median(runs.map(({ seconds }) => seconds))
  }
}

const head = [
  "contestant",
  "test accuracy",
  "lowest",
  "training accuracy",
  "after relaxing alone",
  "free-run loss",
  "relaxed loss",
  "relaxation gap",
  "steps",
  "time"
]

/** The rows as a table, without columns that no row fills. */
export const table = (rows: ReadonlyArray<Row>): Table => {
  const cells = rows.map((row) => [
    row.control ? `${row.name} (control)` : row.name,
    Format.deviating(row.meanAccuracy, row.deviation),
    Format.percent(row.lowestAccuracy),
    Format.percent(row.trainingAccuracy),
    Format.percent(row.relaxedAlone),
    Format.number(row.trainingLoss),
    Format.number(row.relaxedLoss),
    Format.number(row.relaxationGap),
    String(row.steps),
    Format.seconds(row.seconds)
  ])
  const filled = head.map((_, column) => cells.some((row) => row[column] !== "–"))
  const only = (row: ReadonlyArray<string>) => row.filter((_, column) => filled[column])
  return { head: only(head), rows: cells.map(only) }
}

/** Sentences about runs that lost their numbers. */
export const losses = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const some = rows.filter(({ lost }) => lost > 0).map(({ lost, name, runs }) => `${name} in ${lost} of ${runs} runs`)
  return some.length === 0 ? [] : [`Numbers were lost (such a run counts with accuracy 0): ${some.join("; ")}.`]
}

/**
 * Compares the best contestant with the best control, in a sentence. Both are picked on one half of the test data and compared on the other, since
 * the best of many would look better than it is on the data that it was picked on.
 */
export const verdict = (rows: ReadonlyArray<Row>): string => {
  const best = (some: ReadonlyArray<Row>) => some.toSorted((a, b) => b.picking - a.picking)[0]
  const [first, control] = [best(rows.filter((row) => !row.control)), best(rows.filter((row) => row.control))]
  const said = ({ judged, name }: Row) =>
    `${name} (${Format.deviating(Statistics.mean(judged), Statistics.deviation(judged))})`
  if (first === undefined || control === undefined) return `The best is ${said((first ?? control)!)}.`
  const points = 100 * (Statistics.mean(first.judged) - Statistics.mean(control.judged))
  const error = 100 * Statistics.standardError(first.judged, control.judged)
  const by = `${Math.abs(points).toFixed(1)} points ${points < 0 ? "below" : "above"} the best control, ${said(control)}`
  const chance =
    first.runs < 2 || control.runs < 2
      ? "from one seed, which says nothing about chance"
      : Math.abs(points) > 2 * error
        ? "more than two standard errors of the difference"
        : "within two standard errors of the difference, so it may be chance"
  return `The best is ${said(first)}, ${by}: ${chance}.`
}
