/**
 * How many examples a part of a file has.
 */
import { Effect } from "effect"
import { DataInvalid } from "./DataInvalid.ts"

/** Where nothing else is said. */
export const byDefault = 1024

/** Fails where it is no whole number of at least one. */
export const check = (source: string, rows: number): Effect.Effect<void, DataInvalid> => {
  if (Number.isInteger(rows) && rows >= 1) return Effect.void
  const expected = "a whole number of examples, at least 1"
  const advice = `give for instance ${byDefault}`
  return Effect.fail(new DataInvalid({ source, setting: "rows", expected, came: `${rows} came`, advice }))
}
