/**
 * One measured command: the numbers in its last line of output, its total time, and its peak memory.
 */
import { readFileSync } from "node:fs"
import { Clock, Effect, Option, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

/** A command to measure; the first of a row is this project. */
export interface Contestant {
  readonly name: string
  readonly command: string
  /** The arguments for a round, counted from 0. */
  readonly args: (round: number) => ReadonlyArray<string>
  /** Parses the last line of output where it is not JSON. */
  readonly reads?: (line: string) => Readonly<Record<string, number>>
}

/** A command that exited with a non-zero code. */
export class ContestantFailed extends Schema.TaggedError<ContestantFailed>()("ContestantFailed", {
  name: Schema.String,
  command: Schema.String,
  exitCode: Schema.Finite
}) {
  override get message(): string {
    return `${this.name}: expected the command to end well, but it ended with ${this.exitCode}; run it by itself: ${this.command}`
  }
}

/** The measurements of one run. */
export interface Measured {
  /** The numbers of the last line of output, where that is a JSON object. */
  readonly says: Readonly<Record<string, number>>
  /** Time from the start of the process to its end. */
  readonly seconds: number
  /** Peak resident memory in MB, where the system reports it, else NaN. */
  readonly megabytes: number
}

const Line = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))

/** Peak resident memory in MB; only Linux reports it, and only while the process lives. */
const peak = (pid: number): number => {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) / 1024
  } catch {
    return Number.NaN
  }
}

/** Runs a contestant once and measures it. */
export const measure = Effect.fn("Contestant.measure")(function* (contestant: Contestant, round = 0) {
  const { command, name, reads } = contestant
  const args = contestant.args(round)
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const start = yield* Clock.currentTimeNanos
  const child = yield* spawner.spawn(ChildProcess.make(command, args, { stderr: "ignore" }))
  let megabytes = Number.NaN
  const watch = Effect.forever(
    Effect.andThen(
      Effect.sync(() => {
        const now = peak(child.pid)
        if (Number.isFinite(now)) megabytes = now
      }),
      Effect.sleep("20 millis")
    )
  )
  yield* Effect.forkScoped(watch)
  const text = yield* Stream.mkString(Stream.decodeText(child.stdout))
  const exitCode = yield* child.exitCode
  const seconds = Number((yield* Clock.currentTimeNanos) - start) / 1e9
  if (exitCode !== 0) return yield* new ContestantFailed({ name, exitCode, command: [command, ...args].join(" ") })
  const last = text.trim().split("\n").at(-1) ?? ""
  const line = yield* Effect.option(Schema.decodeUnknownEffect(Line)(last))
  const entries = Object.entries(Option.getOrElse(line, () => ({}))).filter(([, value]) => typeof value === "number")
  const says = reads?.(last) ?? (Object.fromEntries(entries) as Record<string, number>)
  const measured: Measured = { says, seconds, megabytes }
  return measured
}, Effect.scoped)
