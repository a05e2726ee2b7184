/**
 * What runs programs. Everything that a user composes requires an engine and says nothing of which.
 */
import { Context, Data, Effect, type Scope } from "effect"
import type { Program } from "../program/Program.ts"
import type { NdArray } from "../tensor/NdArray.ts"

/** Arrays by name: a program's inputs or outputs, a circuit's parameters, a session's state. */
export type Arrays = Readonly<Record<string, NdArray>>

/** A run that could not begin or end: an input that is missing or of another shape, memory that ran out. */
export class EngineFailed extends Data.TaggedError("EngineFailed")<{
  readonly engine: string
  readonly reason: string
}> {
  override get message(): string {
    return `the engine ${this.engine} could not run the program: ${this.reason}`
  }
}

/**
 * State that lives where the engine computes. A program advances it: inputs that are not given are read from the state, and outputs
 * that bear the name of an entry replace that entry; the other outputs are the report.
 */
export interface Session {
  /** Once for each of the inputs, once where there are none; the report is the last one's. */
  readonly advance: (program: Program, ...turns: ReadonlyArray<Arrays>) => Effect.Effect<Arrays, EngineFailed>
  /** The state in plain memory; all of it, or the entries named. */
  readonly read: (names?: ReadonlyArray<string>) => Effect.Effect<Arrays, EngineFailed>
  /** Adds or replaces entries of the state. */
  readonly write: (entries: Arrays) => Effect.Effect<void, EngineFailed>
}

/** The service that runs programs and holds a training run's state. */
export class Engine extends Context.Service<
  Engine,
  {
    /** As shown and recorded: `tfjs-native`, `tfjs-wasm`, `reference`, `onnx`. */
    readonly name: string
    readonly run: (program: Program, inputs: Arrays) => Effect.Effect<Arrays, EngineFailed>
    /** A session begins with `state` and gives its memory back when the scope closes. */
    readonly session: (state: Arrays) => Effect.Effect<Session, EngineFailed, Scope.Scope>
  }
>()("@rai/core/Engine") {}

/** A session's `advance`, of one that advances once. */
export const inTurn =
  (once: (program: Program, inputs: Arrays) => Effect.Effect<Arrays, EngineFailed>): Session["advance"] =>
  (program, first = {}, ...others) =>
    others.reduce((before, inputs) => Effect.andThen(before, once(program, inputs)), once(program, first))

/** Runs a program once: arrays in, arrays out. */
export const run = (program: Program, inputs: Arrays): Effect.Effect<Arrays, EngineFailed, Engine> =>
  Engine.use((engine) => engine.run(program, inputs))
