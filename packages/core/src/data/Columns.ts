/**
 * Records of a CSV file as inputs alone: the columns that are named, in that order, whatever else the file holds.
 */
import { Option, Result } from "effect"
import type { NdArray } from "../tensor/NdArray.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import * as Table from "./Table.ts"

/** Takes records one at a time, and holds the inputs that they make. */
export interface Builder extends Pick<Table.Builder, "add"> {
  /** [rows, names], once all records are added. */
  readonly finish: () => Result.Result<NdArray, DataInvalid>
}

/** A builder for the columns `names` of `source`, or all of them. */
export const builder = (source: string, names?: ReadonlyArray<string>): Builder => {
  let chosen: ReadonlyArray<{ readonly name: string; readonly at: number }> | undefined
  let rows = 0
  const numbers: Array<number> = []
  return {
    add: (record, line) => {
      if (chosen === undefined) {
        chosen = (names ?? record).map((name) => ({ name, at: record.indexOf(name) }))
        const missing = chosen.find(({ at }) => at < 0)
        if (missing === undefined) return Option.none()
        const came = `the columns are ${record.map(quote).join(", ")}`
        const expected = `an input column ${quote(missing.name)}`
        return Option.some(new DataInvalid({ source, line, expected, came, advice: "add it, or rename one of these" }))
      }
      for (const { at, name } of chosen) {
        const parsed = Table.number(record[at] ?? "")
        if (Result.isFailure(parsed)) {
          return Option.some(new DataInvalid({ source, line, column: name, ...parsed.failure }))
        }
        numbers.push(parsed.success)
      }
      rows++
      return Option.none()
    },
    finish: () =>
      rows === 0
        ? Result.fail(
            new DataInvalid({
              source,
              expected: "a header and at least one row below it",
              came: "no rows came",
              advice: "add rows to the file"
            })
          )
        : Result.succeed({ shape: [rows, chosen!.length], data: Float64Array.from(numbers) })
  }
}
