/**
 * A trained circuit: what export, prediction and plots take.
 */
import type * as Circuit from "../circuit/Circuit.ts"
import type { Task } from "../data/Dataset.ts"
import type { Preprocessing } from "../data/Preprocessing.ts"
import type { Arrays } from "../engine/Engine.ts"

/** How a trained circuit came about; recorded in what is exported. */
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
  /** What makes the circuit's inputs of raw columns; absent where it takes these as they are. */
  readonly preprocessing?: Preprocessing | undefined
  /** The names of the circuit's inputs; none where nobody has said them. */
  readonly inputNames: ReadonlyArray<string>
  readonly classNames?: ReadonlyArray<string> | undefined
  readonly origin: Origin
}
