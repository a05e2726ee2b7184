/**
 * The measurements of a run as a table, one row per measurement.
 */
import type { Row } from "../schema/Row.ts"
import type { Measurement } from "./Measurement.ts"
import * as Progress from "./Progress.ts"
import type { TrainingEvent } from "./TrainingEvent.ts"

export type { Row }

/** Returns the row of an event with a measurement, `undefined` for any other event. */
export const row = (event: TrainingEvent): Row | undefined => {
  if (event._tag !== "Step" || event.measurement === undefined) return undefined
  const { measurement, phase, progress } = event
  const { seconds, step, total } = progress
  return { phase: phase.kind, step, total, seconds, ...measurement }
}

/**
 * Returns the rows of a run's events.
 *
 * ```ts
 * import { Circuit, History, Moons, Plan, ReferenceEngine, Training } from "@rai/core"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const data = yield* Moons.make({ examples: 20, seed: 1 })
 *   const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })
 *   const plan = Plan.relax({ steps: 20 })
 *   return History.of(yield* Stream.runCollect(Training.stream(circuit, data, { plan })))
 * })
 * const history = await Effect.runPromise(Effect.provide(program, ReferenceEngine.layer))
 * console.table(History.table(history))
 * const { step, relaxedLoss } = History.columns(history)
 * step!.join() // => "0,10,20"
 * relaxedLoss!.length // => 3
 * ```
 */
export const of = (events: Iterable<TrainingEvent>): ReadonlyArray<Row> =>
  [...events].flatMap((event) => row(event) ?? [])

/**
 * Returns the rows that a run has behind it where it goes on from a snapshot's progress, and which it does not measure again. The last row of a phase and the
 * first of the next are of the same number of steps in all.
 */
export const until = (rows: ReadonlyArray<Row>, progress: Progress.Progress): ReadonlyArray<Row> => {
  const hasStart = progress.step === 0 && Progress.isBegun(progress)
  return rows.filter(
    ({ step, total }) => total < progress.total || (total === progress.total && (step > 0 || hasStart))
  )
}

const orNaN = (value: number | null | undefined): number => value ?? Number.NaN

/** Returns the measurement of a row, with NaN where it was not finite. */
export const measurement = ({
  phase: _phase,
  seconds: _seconds,
  step: _step,
  total: _total,
  ...own
}: Row): Measurement => {
  const entries = Object.entries(own).filter(([, value]) => value !== undefined)
  const measured = entries.map(([name, value]) => [
    name,
    typeof value === "object" && value !== null ? value.map(orNaN) : orNaN(value)
  ])
  return Object.fromEntries(measured) as Measurement
}

const shares = (values: ReadonlyArray<number | null>, ...at: ReadonlyArray<0 | 0.5 | 1>): ReadonlyArray<number> => {
  const numbers = values.map(orNaN)
  if (numbers.some(Number.isNaN)) return at.map(() => Number.NaN)
  const ascending = numbers.toSorted((a, b) => a - b)
  return at.map((share) => {
    const place = share * (ascending.length - 1)
    return (ascending[Math.floor(place)]! + ascending[Math.ceil(place)]!) / 2
  })
}

/**
 * Returns a row's numbers by name: losses, accuracies and the gap; for residuals the median and the largest; for gradient norms also the smallest.
 */
export const numbers = (row: Row): Readonly<Record<string, number>> => {
  const { gradientNorms, phase: _phase, residuals, ...own } = row
  const found: Record<string, number> = {}
  for (const [name, value] of Object.entries(own)) if (value !== undefined) found[name] = orNaN(value)
  if (residuals.length > 0) {
    const [median, largest] = shares(residuals, 0.5, 1)
    Object.assign(found, { medianResidual: median, largestResidual: largest })
  }
  if (gradientNorms.length > 0) {
    const [smallest, median, largest] = shares(gradientNorms, 0, 0.5, 1)
    Object.assign(found, { smallestGradient: smallest, medianGradient: median, largestGradient: largest })
  }
  return found
}

/** A line of the table: the phase and the row's numbers. */
export type Line = Readonly<Record<string, string | number>>

/** Returns one line per row with the columns that the run has, for `console.table` or a data frame. */
export const table = (rows: ReadonlyArray<Row>): ReadonlyArray<Line> =>
  rows.map((row) => ({ phase: row.phase, ...numbers(row) }))

/** Returns the table by columns: one number per row, NaN where not measured. */
export const columns = (rows: ReadonlyArray<Row>): Readonly<Record<string, ReadonlyArray<number>>> => {
  const measured = rows.map(numbers)
  const names = new Set(measured.flatMap((row) => Object.keys(row)))
  return Object.fromEntries([...names].map((name) => [name, measured.map((row) => orNaN(row[name]))]))
}

/** Returns the table as CSV with a header; cells without a measurement are empty. */
export const csv = (rows: ReadonlyArray<Row>): string => {
  const names = Object.keys(columns(rows))
  const lines = rows.map((row) => {
    const measured = numbers(row)
    return [row.phase, ...names.map((name) => measured[name] ?? "")].join()
  })
  return `${[["phase", ...names].join(), ...lines].join("\n")}\n`
}
