/**
 * Number of examples per part of a file.
 */
import { Effect } from "effect"
import { DataInvalid } from "./DataInvalid.ts"

/** The default. */
export const byDefault = 1024

/** Fails where `rows` is not a whole number of at least 1. */
export const check = (source: string, rows: number): Effect.Effect<void, DataInvalid> => {
  if (Number.isInteger(rows) && rows >= 1) return Effect.void
  const expected = "a whole number of examples, at least 1"
  const advice = `give for instance ${byDefault}`
  return Effect.fail(new DataInvalid({ source, setting: "rows", expected, came: `${rows} came`, advice }))
}
