/**
 * Where output goes: results to stdout, progress to stderr; with `--json` the last line of stdout is one JSON object.
 */
import type { Metrics } from "@rai/core"
import { Console, Effect } from "effect"
import { Flag } from "effect/cli"

/** A line of progress, for people. */
export const progress = (line: string): Effect.Effect<void> => Console.error(line)

const told = new Set<string>()

/** A line of progress that is said once, however many runs of the command it holds for. */
export const notice = (line: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    if (told.has(line)) return Effect.void
    told.add(line)
    return progress(line)
  })

/** A line of the result. */
export const line = (text: string): Effect.Effect<void> => Console.log(text)

/** The flag `--json`. */
export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("the last line of stdout is one JSON object"),
  Flag.withDefault(false)
)

/** The result: as one JSON object, or in the lines that a person reads. */
export const result = (json: boolean, object: unknown, lines: ReadonlyArray<string>): Effect.Effect<void> =>
  json ? Console.log(JSON.stringify(object)) : Effect.forEach(lines, line, { discard: true })

/** 0.0312, 1.2e-7, 1.4e+12, –: a number for people. */
export const number = (value: number | undefined | null): string => {
  if (value === undefined || value === null) return "–"
  if (!Number.isFinite(value)) return String(value)
  const isFar = Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6
  return value !== 0 && isFar ? value.toExponential(1) : value.toFixed(4)
}

/** 98.7 % */
export const percent = (share: number | undefined | null): string =>
  share === undefined || share === null ? "–" : `${(100 * share).toFixed(1)} %`

/** `, accuracy 98.7 %`; empty for regression, which has no accuracy. */
export const accuracy = (share: number | undefined | null, name = "accuracy"): string =>
  share === undefined || share === null ? "" : `, ${name} ${percent(share)}`

/** `, 0.0312 of the variance left`, of several targets on average; empty where it is not measured. */
export const left = (share: number | undefined | null): string =>
  share === undefined || share === null ? "" : `, ${number(share)} of the variance left`

/** 3.2 s */
export const seconds = (value: number): string => `${value.toFixed(1)} s`

/** 31,250 */
export const count = (value: number): string => value.toLocaleString("en-US")

/** 9 s, 2 min 5 s, 1 h 12 min */
export const duration = (seconds: number): string => {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** 880 B, 1.5 MB, 7.5 TFLOP: a quantity for people. */
export const quantity = (value: number, unit: string): string => {
  // 999.96 with one decimal would print as 1000.0, so it already counts as the next power.
  const power = Math.min(5, Math.max(0, Math.floor(Math.log10(Math.max(value, 1) * (1000 / 999.95)) / 3)))
  return `${(value / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${["", "k", "M", "G", "T", "P"][power]}${unit}`
}

/** 1.5 MB, 24.0 GB */
export const bytes = (value: number): string => quantity(value, "B")

/** All metrics in one sentence; F1 is that of the second of two classes, which is named, else the mean over the classes. */
export const metrics = (of: Metrics.Metrics, classNames?: ReadonlyArray<string>): string =>
  of.task === "regression"
    ? `R² ${number(of.r2)}, root mean squared error ${number(of.rootMeanSquaredError)}, mean absolute error ${number(of.meanAbsoluteError)}`
    : `accuracy ${percent(of.accuracy)}, balanced ${percent(of.balancedAccuracy)}; F1 ${of.confusion.length === 2 ? `of «${classNames?.[1] ?? 1}» ` : ""}${number(of.f1)}, ROC AUC ${Number.isNaN(of.rocAuc) ? "– (a class is missing)" : number(of.rocAuc)}, log loss ${number(of.logLoss)}`
