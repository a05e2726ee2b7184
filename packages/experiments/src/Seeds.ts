/**
 * Seeds as text: `0-9`, `0,2,5`.
 */
import { Effect, Schema } from "effect"

/** The text does not describe seeds. */
export class SeedsInvalid extends Schema.TaggedError<SeedsInvalid>()("SeedsInvalid", { came: Schema.String }) {
  override get message(): string {
    return `expected seeds such as 0-9 or 0,2,5, at most a thousand, but «${this.came}» came; write whole numbers`
  }
}

const most = 1000

/** The seeds that a text names, each once, in the order given. */
export const parse = (text: string): Effect.Effect<ReadonlyArray<number>, SeedsInvalid> => {
  const ranges = text.split(",").map((part) => /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part.trim()))
  const bounds = ranges.map((range) => [Number(range?.[1]), Number(range?.[2] ?? range?.[1])] as const)
  const fits = bounds.every(([first, last]) => last >= first && last - first < most)
  const seeds = fits
    ? bounds.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i))
    : []
  return seeds.length === 0 || seeds.length > most
    ? Effect.fail(new SeedsInvalid({ came: text }))
    : Effect.succeed([...new Set(seeds)])
}

/** Prints seeds in ascending order, with neighbours joined to ranges. */
export const print = (seeds: ReadonlyArray<number>): string => {
  const sorted = seeds.toSorted((a, b) => a - b)
  const starts = sorted.filter((seed, i) => sorted[i - 1] !== seed - 1)
  const ends = sorted.filter((seed, i) => sorted[i + 1] !== seed + 1)
  return starts.map((start, i) => (start === ends[i] ? String(start) : `${start}-${ends[i]}`)).join(",")
}
