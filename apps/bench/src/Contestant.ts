/**
 * One program that trains the deep circuit and prints a JSON line with `stepsPerSecond` last.
 */
import { Effect, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

/** A command to measure; the first one of a comparison is this project. */
export interface Contestant {
  readonly name: string
  readonly command: string
  readonly args: ReadonlyArray<string>
}

const Line = Schema.fromJsonString(Schema.Struct({ stepsPerSecond: Schema.Finite }))

/** Runs it once: steps a second, as it says of itself. */
export const measure = Effect.fn("Contestant.measure")(function* ({ args, command }: Contestant) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const child = yield* spawner.spawn(ChildProcess.make(command, args, { stderr: "ignore" }))
  const text = yield* Stream.mkString(Stream.decodeText(child.stdout))
  const { stepsPerSecond } = yield* Schema.decodeUnknownEffect(Line)(text.trim().split("\n").at(-1))
  return stepsPerSecond
}, Effect.scoped)
