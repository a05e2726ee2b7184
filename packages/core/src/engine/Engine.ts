/**
 * The service that runs programs. What a user composes requires an engine but does not say which.
 */
import { Context, Data, Effect, type Scope } from "effect"
import type { Program } from "../program/Program.ts"
import type { NdArray } from "../tensor/NdArray.ts"

/** Arrays by name: a program's inputs or outputs, a circuit's parameters, a session's state. */
export type Arrays = Readonly<Record<string, NdArray>>

/** A run could not start or finish: an input is missing or has another shape, or memory ran out. */
export class EngineFailed extends Data.TaggedError("EngineFailed")<{
  readonly engine: string
  readonly reason: string
}> {
  override get message(): string {
    return `the engine ${this.engine} could not run the program: ${this.reason}`
  }
}

/**
 * State that lives where the engine computes. A program advances it: inputs that are not given are read from the state, outputs named like an entry
 * replace that entry, and the other outputs are the report.
 */
export interface Session {
  /** Runs the program once per element of `turns`, or once if there are none, and returns the last report. */
  readonly advance: (program: Program, ...turns: ReadonlyArray<Arrays>) => Effect.Effect<Arrays, EngineFailed>
  /** Copies the state to plain memory: all of it, or the named entries. */
  readonly read: (names?: ReadonlyArray<string>) => Effect.Effect<Arrays, EngineFailed>
  /** Adds or replaces entries of the state. */
  readonly write: (entries: Arrays) => Effect.Effect<void, EngineFailed>
}

/** The service that runs programs and holds a training run's state. */
export class Engine extends Context.Service<
  Engine,
  {
    /** The name that is shown and recorded: `tfjs-native`, `tfjs-wasm`, `reference`, `onnx`. */
    readonly name: string
    readonly run: (program: Program, inputs: Arrays) => Effect.Effect<Arrays, EngineFailed>
    /** Opens a session with `state`; its memory is released when the scope closes. */
    readonly session: (state: Arrays) => Effect.Effect<Session, EngineFailed, Scope.Scope>
  }
>()("@rai/core/Engine") {}

/** Makes a session's `advance` from a function that advances once. */
export const inTurn =
  (once: (program: Program, inputs: Arrays) => Effect.Effect<Arrays, EngineFailed>): Session["advance"] =>
  (program, first = {}, ...others) =>
    others.reduce((before, inputs) => Effect.andThen(before, once(program, inputs)), once(program, first))

/** Runs a program once: arrays in, arrays out. */
export const run = (program: Program, inputs: Arrays): Effect.Effect<Arrays, EngineFailed, Engine> =>
  Engine.use((engine) => engine.run(program, inputs))
