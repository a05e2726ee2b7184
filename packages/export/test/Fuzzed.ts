/**
 * Fuzzing: reads mutated models, and verifies mutated models and records against each other.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { NdArray, ReferenceEngine, Sha256 } from "@rai/core"
import { Cause, Effect, Exit } from "effect"
import * as Onnx from "../src/Onnx.ts"
import * as Parity from "../src/Parity.ts"
import * as Reading from "../src/read/Reading.ts"
import * as Verify from "../src/Verify.ts"
import * as Mutations from "./Mutations.ts"
import * as Trained from "./Trained.ts"

/** A mutation that was not rejected as it should have been. */
interface Fault {
  readonly seed: number
  readonly what: string
}

/** Outcome of many mutations: counts of each result, the slowest in milliseconds, and the peak memory in bytes above the start. */
export interface Outcome {
  readonly counts: Readonly<Record<string, number>>
  readonly faults: ReadonlyArray<Fault>
  readonly slowest: number
  readonly mostBytes: number
}

type Attempt = (seed: number) => Effect.Effect<unknown, { readonly _tag: string; readonly message: string }>

/** Tries mutations `first` … `first + count`. */
const run = async (attempt: Attempt, told: ReadonlySet<string>, first: number, count: number): Promise<Outcome> => {
  const counts: Record<string, number> = {}
  const faults: Array<Fault> = []
  const before = process.memoryUsage().rss
  let [slowest, mostBytes] = [0, 0]
  for (let seed = first; seed < first + count; seed++) {
    const tried = attempt(seed)
    const started = performance.now()
    const exit = await Effect.runPromiseExit(tried)
    const milliseconds = performance.now() - started
    slowest = Math.max(slowest, milliseconds)
    if (seed % 50 === 0) {
      // With --expose-gc what many left behind is not taken for what one needs.
      globalThis.gc?.()
      mostBytes = Math.max(mostBytes, process.memoryUsage().rss - before)
    }
    const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
    const tag = error === undefined ? "passed" : ((error as { readonly _tag?: string })._tag ?? "crash")
    counts[tag] = (counts[tag] ?? 0) + 1
    if (milliseconds > 2000) faults.push({ seed, what: `${Math.round(milliseconds)} ms` })
    if (error === undefined) continue
    const { message, stack = "" } = error as Error
    const isClear =
      told.has(tag) && /expected .*(but|these came).*; /.test(message) && !/\bundefined\b|\[object /.test(message)
    if (!isClear) faults.push({ seed, what: told.has(tag) ? message : stack.split("\n").slice(0, 4).join(" ") })
  }
  return { counts, faults, slowest, mostBytes }
}

const wrong = ["NotAnOnnxModel", "ModelInvalid"]

/** Reads mutated `models`. */
export const read = (models: ReadonlyArray<Uint8Array>, first: number, count: number): Promise<Outcome> =>
  run(
    (seed) => Reading.fromBytes(Mutations.make(models, seed), "mutated.onnx"),
    new Set([...wrong, "OperatorsUnsupported"]),
    first,
    count
  )

const exported: ReadonlyArray<readonly [ReturnType<typeof Trained.make>, Onnx.Files]> = [
  [Trained.make([2, 4, 1]), {}],
  [Trained.make([3, 8, 8, 3], { activation: "gelu", residual: true, task: "classes" }), { expose: "*" }],
  [Trained.make([2, 5, 2], { activation: "relu", task: "regression" }), { weights: "float16" }],
  [Trained.make([2, 6, 1], { activation: "tanh" }), { weights: "int8" }],
  [Trained.make([2, 16, 16, 1], { activation: "elu" }), { externalData: true }]
]

/** Verifies models against their records, one or both of them mutated, in files of an existing folder. */
export const verify = async (folder: string, first: number, count: number): Promise<Outcome> => {
  const samples = NdArray.make([2, 2], [0, 1, -1, 0.5])
  const made: Array<Mutations.Proved> = []
  for (const [i, [trained, options]] of exported.entries()) {
    const own = join(folder, String(i))
    mkdirSync(own)
    const asks = { ...options, ...(trained.inputNames.length === 2 && { samples }) }
    await Effect.runPromise(Effect.provide(Onnx.write(trained, join(own, "m.onnx"), asks), ReferenceEngine.layer))
    made.push(Mutations.proved(own))
  }
  const own = join(folder, "mutated")
  const file = join(own, "m.onnx")
  return run(
    (seed) =>
      Effect.suspend(() => {
        const { data, model, record } = Mutations.both(made, seed, Sha256.hex)
        rmSync(own, { recursive: true, force: true })
        mkdirSync(own)
        writeFileSync(file, model)
        writeFileSync(Parity.fileOf(file), record)
        if (data !== undefined) writeFileSync(`${file}.data`, data)
        return Verify.verify(file)
      }),
    new Set([...wrong, "FileUnreadable", "RecordInvalid", "ModelChanged", "OnnxruntimeFailed", "ParityLost"]),
    first,
    count
  )
}
