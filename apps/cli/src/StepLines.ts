/**
 * Progress of a set-up: a line as each step begins, and one at every fifth of a download.
 */
import { Effect } from "effect"
import * as Report from "./Report.ts"

/** Called as each step begins, and during a download with the fraction completed. */
export type OnStep = (step: string, fraction?: number) => Effect.Effect<void>

/** Prints these lines, each behind what is set up. */
export const make = (name: string): OnStep => {
  let last = ""
  return (step, fraction) => {
    const share = fraction === undefined || fraction < 0.2 ? "" : ` ${20 * Math.floor(5 * fraction)} %`
    const line = `${name}${step} …${share}`
    if (line === last) return Effect.void
    last = line
    return Report.progress(line)
  }
}
