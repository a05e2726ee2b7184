/**
 * Records of a CSV file as inputs without labels: the named columns in that order, whatever else the file holds.
 */
import { Option, Result } from "effect"
import * as Cells from "./Cells.ts"
import { DataInvalid } from "./DataInvalid.ts"
import type * as Table from "./Table.ts"

/** Takes records one at a time and collects their inputs. */
export interface Builder extends Pick<Table.Builder, "add" | "read"> {
  /** The cells, once all records are added. */
  readonly finish: () => Result.Result<Cells.Cells, DataInvalid>
}

/** Which columns to read, and how. */
export interface Options extends Pick<Table.Options, "categorical" | "missing"> {
  /** All columns by default. */
  readonly names?: ReadonlyArray<string> | undefined
}

/** Creates a builder for the columns of `source`. */
export const builder = (source: string, { categorical, missing = "error", names }: Options = {}): Builder => {
  let places: ReadonlyArray<Cells.Place> | undefined
  let read: ReadonlyArray<number> = []
  const lines: Array<number> = []
  const numbers: Array<number> = []
  return {
    add: (record, line) => {
      if (places === undefined) {
        const chosen = (names ?? record).map((name) => ({ name, at: record.indexOf(name) }))
        places = Cells.places(chosen, categorical)
        read = places.map(({ at }) => at)
        const wanted = names ?? record
        return Option.orElse(Cells.absent(source, line, wanted, record), () =>
          Cells.twice(source, line, wanted, record)
        )
      }
      lines.push(line)
      return Cells.add(source, places, missing, record, line, numbers)
    },
    read: () => read,
    finish: () => {
      if (places === undefined || lines.length === 0) {
        const expected = "a header and at least one row below it"
        const advice = "add rows to the file"
        return Result.fail(new DataInvalid({ source, expected, came: "no rows came", advice }))
      }
      const cells = { shape: [lines.length, places.length], data: Float64Array.from(numbers) }
      return Result.succeed({ source, columns: Cells.columns(places), cells, lines })
    }
  }
}
