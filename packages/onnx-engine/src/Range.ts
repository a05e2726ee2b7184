/**
 * Ranges of bytes.
 */
import * as Region from "./Region.ts"

/** Bytes from `from` up to, but not including, `to`. */
export type Range = readonly [from: number, to: number]

/** Byte range of a region. */
export const of = (region: Region.Region): Range => [region.address, region.address + Region.bytes(region)]

/** Returns the number of bytes. */
export const length = ([from, to]: Range): number => to - from

/** Whether two ranges overlap. */
export const overlap = ([a, b]: Range, [c, d]: Range): boolean => a < d && c < b

/** Sorts ranges and merges those that touch. */
export const joined = (ranges: ReadonlyArray<Range>): ReadonlyArray<Range> => {
  const done: Array<Range> = []
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = done.at(-1)
    if (last === undefined || last[1] < from) done.push([from, to])
    else done[done.length - 1] = [last[0], Math.max(last[1], to)]
  }
  return done
}

/** Subtracts sorted ranges, which may lie outside of it, from a range. */
export const without = ([start, end]: Range, ranges: ReadonlyArray<Range>): ReadonlyArray<Range> => {
  const within = ranges.filter((range) => overlap(range, [start, end]))
  const edges = [start, ...within.flat(), end]
  return Array.from({ length: within.length + 1 }, (_, i): Range => [edges[2 * i]!, edges[2 * i + 1]!]).filter(
    ([from, to]) => from < to
  )
}
