/**
 * The outcome of a run.
 */
import { type Metrics, Plan, type Score, type TrainingEvent } from "@rai/core"
import * as Report from "./Report.ts"
import type { Run } from "./Run.ts"
import * as Seeds from "./Seeds.ts"

/** The outcome, as `--json` and `summary.json` show it. */
export interface Summary {
  readonly seed: number
  readonly engine: string
  readonly plan: string
  readonly parameters: number
  readonly steps: number
  readonly seconds: number
  readonly stepsPerSecond: number
  readonly solved: boolean
  readonly relaxedLoss: number | null
  readonly freeRunLoss: number
  readonly freeRunAccuracy: number | null
  /** Share of the variance that the free run leaves on the training data, averaged over several targets; absent elsewhere. */
  readonly freeRunShare?: number
  readonly relaxationGap: number | null
  /** The free run's training accuracy at the end of the relaxed phases. */
  readonly relaxedAccuracy: number | null
  readonly testLoss: number | null
  readonly testAccuracy: number | null
  /** Names of the classes in the metrics' order, where they have names. */
  readonly classNames?: ReadonlyArray<string>
  /** All metrics on the test data. */
  readonly testMetrics: Metrics.Metrics | null
  readonly validationLoss: number | null
  readonly validationAccuracy: number | null
  /** Why the run failed, where it did. */
  readonly findings: ReadonlyArray<string>
  readonly run: string | null
  /** The run of backpropagation alone from the same start, where `--compare` was given. */
  readonly backpropagation?: Summary
}

/** What was found out beside the training itself. */
interface Found {
  readonly engine: string
  /** On test data, where there are any. */
  readonly score: Score.Score | undefined
  readonly metrics: Metrics.Metrics | null
  readonly findings: ReadonlyArray<string>
}

/** Sums a finished run up. */
export const of = (
  { folder, plan, seed }: Pick<Run, "folder" | "plan" | "seed">,
  { measurement, progress, solved, trained }: TrainingEvent.Finished,
  { engine, findings, metrics, score }: Found
): Summary => ({
  seed,
  engine,
  plan: Plan.print(plan),
  parameters: Object.values(trained.parameters).reduce((total, { data }) => total + data.length, 0),
  steps: progress.total,
  seconds: progress.seconds,
  stepsPerSecond: progress.seconds > 0 ? progress.total / progress.seconds : 0,
  solved,
  relaxedLoss: progress.relaxedLoss ?? null,
  freeRunLoss: measurement.freeRunLoss,
  freeRunAccuracy: measurement.freeRunAccuracy ?? null,
  ...(measurement.freeRunShare !== undefined && { freeRunShare: measurement.freeRunShare }),
  relaxationGap: progress.relaxationGap ?? null,
  relaxedAccuracy: progress.relaxedAccuracy ?? null,
  testLoss: score?.loss ?? null,
  testAccuracy: score?.accuracy ?? null,
  ...(trained.classNames !== undefined && { classNames: trained.classNames }),
  testMetrics: metrics,
  validationLoss: measurement.validationLoss ?? null,
  validationAccuracy: measurement.validationAccuracy ?? null,
  findings,
  run: folder ?? null
})

/** The outcome in the lines that a person reads. */
export const lines = (summary: Summary): ReadonlyArray<string> => [
  `${summary.steps} steps in ${Report.seconds(summary.seconds)} on ${summary.engine} (${summary.stepsPerSecond.toFixed(1)} steps/s)${summary.solved ? ", then the plan's goal was reached" : ""}`,
  `free run: loss ${Report.number(summary.freeRunLoss)}${Report.accuracy(summary.freeRunAccuracy)}${Report.left(summary.freeRunShare)} on the training data` +
    (summary.testLoss === null
      ? ""
      : `; loss ${Report.number(summary.testLoss)}${Report.accuracy(summary.testAccuracy)} on test data`),
  ...(summary.validationLoss == null
    ? []
    : [
        `validation data, by which the parameters were chosen: loss ${Report.number(summary.validationLoss)}${Report.accuracy(summary.validationAccuracy)}`
      ]),
  // Runs of earlier versions have no test metrics.
  ...(summary.testMetrics ? [`test data: ${Report.metrics(summary.testMetrics, summary.classNames)}`] : []),
  ...(summary.relaxedLoss === null
    ? []
    : [
        `relaxed loss ${Report.number(summary.relaxedLoss)}, relaxation gap ${Report.number(summary.relaxationGap)}${Report.accuracy(summary.relaxedAccuracy, "free-run accuracy")} where relaxing ended`
      ]),
  ...summary.findings.map((finding) => `why: ${finding}`),
  ...(summary.backpropagation === undefined ? [] : Seeds.compared([summary])),
  summary.run === null ? "nothing was kept; add --out DIR to keep it" : `kept in ${summary.run}`
]
