/**
 * A trained circuit: what export, prediction and plots take.
 */
import type * as Circuit from "../circuit/Circuit.ts"
import type { Task } from "../data/Dataset.ts"
import type { Preprocessing } from "../data/Preprocessing.ts"
import type { Arrays } from "../engine/Engine.ts"

/** How a trained circuit was produced; recorded in exported models. */
export interface Origin {
  /** The plan on one line, as `--plan` takes it. */
  readonly plan: string
  readonly seed: number
  readonly engine: string
  /** The version of this library. */
  readonly version: string
}

/** A circuit with its parameters by full name, in plain coordinates. */
export interface Trained {
  readonly circuit: Circuit.Circuit
  readonly parameters: Arrays
  readonly task: Task
  /** Preprocessing from raw columns to the circuit's inputs; absent where the circuit takes raw columns. */
  readonly preprocessing?: Preprocessing | undefined
  /** Names of the circuit's inputs; empty where unknown. */
  readonly inputNames: ReadonlyArray<string>
  readonly classNames?: ReadonlyArray<string> | undefined
  readonly origin: Origin
}
