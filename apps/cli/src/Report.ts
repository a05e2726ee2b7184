/**
 * Where output goes: results to stdout, progress to stderr; with `--json` the last line of stdout is one JSON object.
 */
import { Console, Effect } from "effect"

/** A line of progress, for people. */
export const progress = (line: string): Effect.Effect<void> => Console.error(line)

/** A line of the result. */
export const line = (text: string): Effect.Effect<void> => Console.log(text)

/** The result: as one JSON object, or in the lines that a person reads. */
export const result = (json: boolean, object: unknown, lines: ReadonlyArray<string>): Effect.Effect<void> =>
  json ? Console.log(JSON.stringify(object)) : Effect.forEach(lines, line, { discard: true })

/** 0.0312, 1.2e-7, –: a number for people. */
export const number = (value: number | undefined | null): string => {
  if (value === undefined || value === null) return "–"
  if (!Number.isFinite(value)) return String(value)
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toFixed(4)
}

/** 98.7 % */
export const percent = (share: number | undefined | null): string =>
  share === undefined || share === null ? "–" : `${(100 * share).toFixed(1)} %`

/** 3.2 s */
export const seconds = (value: number): string => `${value.toFixed(1)} s`

/** 1.5 MB, 24.0 GB */
export const bytes = (value: number): string =>
  value < 1e9 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e9).toFixed(1)} GB`
