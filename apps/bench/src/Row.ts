/**
 * A row of the table: one question, asked of several contestants in turn, round after round, so that drift in the machine's speed affects all
 * alike.
 */
import { loadavg } from "node:os"
import { Console, Effect } from "effect"
import * as Contestant from "./Contestant.ts"

/** One question and its contestants. */
export interface Row {
  readonly question: string
  readonly unit: "steps/s" | "runs/s" | "requests/s" | "s" | "ms" | "µs" | "MB"
  /** Extracts the answer of the named contestant. */
  readonly of: (measured: Contestant.Measured, name: string) => number
  /** Minimum number of rounds. */
  readonly rounds?: number
  /** The contestants: the first is this project; in a series all are. */
  readonly contestants: ReadonlyArray<Contestant.Contestant>
  /** Whether the first contestant's command measures all of them, in turn. */
  readonly together?: boolean
}

/** One contestant's answers. */
export interface Answer {
  readonly name: string
  readonly median: number
  readonly lowest: number
  readonly highest: number
  /** Factor by which the first contestant is better: faster, or smaller. */
  readonly ratio: number
}

/** A row with its answers. */
export interface Answered {
  readonly question: string
  readonly unit: Row["unit"]
  readonly rounds: number
  /** Load of the machine before the row, averaged over one minute. */
  readonly load: number
  readonly answers: ReadonlyArray<Answer>
}

/** The median; for an even number of values, the mean of the middle two. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)]!, sorted[Math.ceil((sorted.length - 1) / 2)]!]
  return (low + high) / 2
}

/** Measures each contestant in at least `least` rounds; prints a failure and leaves that measurement out. */
export const ask = Effect.fn("Row.ask")(function* (row: Row, least: number) {
  const { contestants, of, question, together = false, unit } = row
  const rounds = Math.max(row.rounds ?? 0, least)
  const load = loadavg()[0]!
  const values = new Map(contestants.map(({ name }) => [name, [] as Array<number>]))
  for (let round = 1; round <= rounds; round++) {
    for (const contestant of together ? contestants.slice(0, 1) : contestants) {
      const measured = yield* Effect.option(
        Effect.tapError(Contestant.measure(contestant, round - 1), (error) => Console.error(error.message))
      )
      if (measured._tag === "None") continue
      for (const { name } of together ? contestants : [contestant]) {
        const value = of(measured.value, name)
        values.get(name)!.push(value)
        yield* Console.error(`${question}, round ${round}: ${name} ${value.toPrecision(3)} ${unit}`)
      }
    }
  }
  const there = [...values].filter(([, own]) => own.length > 0)
  const first = median(values.get(contestants[0]!.name)!)
  const answers = there.map(([name, own]): Answer => {
    const middle = median(own)
    const ratio = unit.endsWith("/s") ? first / middle : middle / first
    return { name, median: middle, lowest: Math.min(...own), highest: Math.max(...own), ratio }
  })
  const answered: Answered = { question, unit, rounds, load, answers }
  return answered
})
