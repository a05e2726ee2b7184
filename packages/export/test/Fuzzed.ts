/**
 * What comes of mutated models when they are read.
 */
import { Cause, Effect, Exit } from "effect"
import * as Reading from "../src/read/Reading.ts"
import * as Mutations from "./Mutations.ts"

/** A mutation that was not refused as it should have been. */
interface Fault {
  readonly seed: number
  readonly what: string
}

const told = new Set(["NotAnOnnxModel", "ModelInvalid", "OperatorsUnsupported"])

/** Reads mutations `first` … `first + count`. */
export const run = (models: ReadonlyArray<Uint8Array>, first: number, count: number) => {
  const counts: Record<string, number> = {}
  const faults: Array<Fault> = []
  const [before] = [process.memoryUsage().rss]
  let [slowest, mostBytes] = [0, 0]
  for (let seed = first; seed < first + count; seed++) {
    const bytes = Mutations.make(models, seed)
    const started = performance.now()
    const exit = Effect.runSyncExit(Reading.fromBytes(bytes, "mutated.onnx"))
    const milliseconds = performance.now() - started
    slowest = Math.max(slowest, milliseconds)
    if (seed % 50 === 0) mostBytes = Math.max(mostBytes, process.memoryUsage().rss - before)
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    const tag = error === undefined ? "read" : ((error as { readonly _tag?: string })._tag ?? "crash")
    counts[tag] = (counts[tag] ?? 0) + 1
    if (milliseconds > 2000) faults.push({ seed, what: `${Math.round(milliseconds)} ms` })
    if (error === undefined) continue
    const { message, stack = "" } = error as Error
    const isClear =
      told.has(tag) && /expected .*(but|these came).*; /.test(message) && !/\bundefined\b|\bNaN\b/.test(message)
    if (!isClear) faults.push({ seed, what: told.has(tag) ? message : stack.split("\n").slice(0, 4).join(" ") })
  }
  return { counts, faults, slowest, mostBytes }
}
