/**
 * The environment of every pipeline: an open engine, and a signal that can cancel what runs on it.
 */
import { Engine as Core } from "@rai/core"
import { Context, Effect, Layer } from "effect"
import type { ReaderTaskEither } from "fp-ts/lib/ReaderTaskEither.js"
import type { TaskEither } from "fp-ts/lib/TaskEither.js"
import * as Bridge from "./internal/Bridge.ts"
import type { RaiError } from "./RaiError.ts"

/** The environment that a pipeline reads. */
export interface Engine {
  readonly service: Core.Engine["Service"]
  /** Cancels what is running when aborted. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens the engine of a layer once, runs the whole pipeline on it, and releases the engine however the pipeline ends: with a right, a left, or an
 * exception from your own code.
 *
 * ```ts
 * import { Circuit, ReferenceEngine } from "@rai/core"
 * import { Data, Engine, Training } from "@rai/fp-ts"
 * import { pipe } from "fp-ts/lib/function.js"
 * import * as RTE from "fp-ts/lib/ReaderTaskEither.js"
 * import * as TE from "fp-ts/lib/TaskEither.js"
 *
 * const main = pipe(
 *   Data.read("moons:n=20"),
 *   RTE.flatMap((data) => Training.fit(Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" }), data, { seed: 0 })),
 *   Engine.using(ReferenceEngine.layer), // from here on a TaskEither
 *   TE.match((error) => error.message, ({ origin }) => origin.engine)
 * )
 * await main() // => "reference"
 * ```
 */
export const using =
  <E1 = never>(layer: Layer.Layer<Core.Engine, E1>) =>
  <E, A>(pipeline: ReaderTaskEither<Engine, E, A>): TaskEither<E | E1 | RaiError, A> =>
    Bridge.toTaskEither(
      Effect.scoped(
        Effect.flatMap(Layer.build(layer), (context) =>
          Bridge.fromTaskEither(pipeline({ service: Context.get(context, Core.Engine) }))
        )
      )
    )

/**
 * The pipeline, cancelled when `signal` is aborted: what is running is interrupted between two steps, a last snapshot is taken, and the pipeline ends
 * with `Cancelled`.
 *
 * ```ts
 * import { ReferenceEngine } from "@rai/core"
 * import { Data, Engine } from "@rai/fp-ts"
 * import * as E from "fp-ts/lib/Either.js"
 * import { pipe } from "fp-ts/lib/function.js"
 *
 * const late = AbortSignal.abort("too late")
 * const main = pipe(Data.read("moons"), Engine.cancelledBy(late), Engine.using(ReferenceEngine.layer))
 * pipe(await main(), E.match(({ message }) => message, () => "never"))
 * // => "expected the pipeline to end, but it was cancelled («too late»); run it again, or go on from its last snapshot"
 * ```
 */
export const cancelledBy =
  (signal: AbortSignal) =>
  <E, A>(pipeline: ReaderTaskEither<Engine, E, A>): ReaderTaskEither<Engine, E, A> =>
  (engine) =>
    pipeline({ ...engine, signal: engine.signal === undefined ? signal : AbortSignal.any([engine.signal, signal]) })
