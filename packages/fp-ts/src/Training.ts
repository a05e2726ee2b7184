/**
 * Training as pipelines.
 */
import {
  type Circuit,
  Training as Core,
  type Dataset,
  type PhaseRun,
  type Trained,
  type TrainingEvent
} from "@rai/core"
import { Effect } from "effect"
import type { Either } from "fp-ts/lib/Either.js"
import type { IO } from "fp-ts/lib/IO.js"
import type { Reader } from "fp-ts/lib/Reader.js"
import type { ReaderTaskEither } from "fp-ts/lib/ReaderTaskEither.js"
import type { Task } from "fp-ts/lib/Task.js"
import type { TaskEither } from "fp-ts/lib/TaskEither.js"
import type { Engine } from "./Engine.ts"
import * as Bridge from "./internal/Bridge.ts"
import * as Pipeline from "./Pipeline.ts"
import type { RaiError } from "./RaiError.ts"

/** Options of a run: as in `@rai/core`, with callbacks in fp-ts's types. E are the errors of one's own that `parts` and `onSnapshot` fail with. */
export interface Options<E = never>
  extends Omit<Core.Options<RaiError | E, Pipeline.Services>, "onEvent" | "onSnapshot"> {
  /** Called with each event before anyone else receives it; a task is waited for. If it throws or rejects, the run ends with `CallbackFailed`. */
  readonly onEvent?: ((event: TrainingEvent.Underway) => IO<void> | Task<void>) | undefined
  /** Called with a snapshot every two seconds, and once more when it is cancelled, loses its numbers, or `onEvent`, `parts` or a curve fails; `from` resumes from one. */
  readonly onSnapshot?: ((snapshot: PhaseRun.Snapshot) => TaskEither<RaiError | E, void>) | undefined
}

/**
 * Runs to the end and returns the last event, which holds the trained circuit and its final measurements.
 *
 * ```ts
 * import { Circuit, Plan, ReferenceEngine } from "@rai/core"
 * import { Data, Engine, Training } from "@rai/fp-ts"
 * import { pipe } from "fp-ts/lib/function.js"
 * import * as RTE from "fp-ts/lib/ReaderTaskEither.js"
 * import * as TE from "fp-ts/lib/TaskEither.js"
 *
 * const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })
 * const run = pipe(
 *   Data.read("xor"),
 *   RTE.flatMap((data) => Training.run(circuit, data, { plan: Plan.relax({ steps: 3 }), seed: 0 })),
 *   Engine.using(ReferenceEngine.layer),
 *   TE.match(({ message }) => message, ({ progress }) => `${progress.total} steps`)
 * )
 * await run() // => "3 steps"
 * ```
 */
export const run = <E = never>(
  circuit: Circuit.Circuit,
  data: Dataset.Dataset,
  options: Options<E> = {}
): ReaderTaskEither<Engine, RaiError | E, TrainingEvent.Finished> =>
  Pipeline.fromEffect(Core.run(circuit, data, forCore(options)))

/** Runs to the end and returns the trained circuit. */
export const fit = <E = never>(
  circuit: Circuit.Circuit,
  data: Dataset.Dataset,
  options: Options<E> = {}
): ReaderTaskEither<Engine, RaiError | E, Trained.Trained> =>
  Pipeline.fromEffect(Core.fit(circuit, data, forCore(options)))

/**
 * The events of a run, one per step; a left is the last. The run waits for its reader, and leaving the loop ends it.
 *
 * ```ts
 * import { Circuit, Plan, ReferenceEngine } from "@rai/core"
 * import { Data, Engine, Training } from "@rai/fp-ts"
 * import * as E from "fp-ts/lib/Either.js"
 * import { pipe } from "fp-ts/lib/function.js"
 * import * as RTE from "fp-ts/lib/ReaderTaskEither.js"
 *
 * const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })
 * const watched = pipe(
 *   Data.read("xor"),
 *   RTE.flatMapReader((data) => Training.events(circuit, data, { plan: Plan.relax({ steps: 3 }) })),
 *   RTE.flatMapTask((events) => async () => {
 *     const tags: Array<string> = []
 *     for await (const event of events) tags.push(pipe(event, E.match(({ message }) => message, ({ _tag }) => _tag)))
 *     return tags
 *   }),
 *   Engine.using(ReferenceEngine.layer)
 * )
 * await watched() // => E.right(["Step", "Step", "Step", "Step", "Finished"])
 * ```
 */
export const events = <E = never>(
  circuit: Circuit.Circuit,
  data: Dataset.Dataset,
  options: Options<E> = {}
): Reader<Engine, AsyncIterable<Either<RaiError | E, TrainingEvent.TrainingEvent>>> =>
  Pipeline.fromStream(Core.stream(circuit, data, forCore(options)))

// What a callback throws here ends the run, as it does for any callback.
const forCore = <E>({ onEvent, onSnapshot, ...others }: Options<E>): Core.Options<RaiError | E, Pipeline.Services> => ({
  ...others,
  ...(onEvent && { onEvent: (event) => Effect.suspend(() => settled(onEvent(event)())) }),
  ...(onSnapshot && { onSnapshot: (snapshot) => Effect.suspend(() => Bridge.fromTaskEither(onSnapshot(snapshot))) })
})

const settled = (heard: unknown): Effect.Effect<void> =>
  heard instanceof Promise ? Effect.promise(() => heard) : Effect.void
