/**
 * Pipelines: what runs on an engine, in the form that fp-ts composes. Each wraps a program of `@rai/core` or `@rai/export`; nothing is implemented
 * twice.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Engine as Core } from "@rai/core"
import { Effect, Stream } from "effect"
import type { Either } from "fp-ts/lib/Either.js"
import type { Reader } from "fp-ts/lib/Reader.js"
import type { ReaderTaskEither } from "fp-ts/lib/ReaderTaskEither.js"
import type { Engine } from "./Engine.ts"
import * as Bridge from "./internal/Bridge.ts"
import type { Cancelled, RaiError } from "./RaiError.ts"

/** A computation that reads an open engine and ends with an error or a value. */
export type Pipeline<A> = ReaderTaskEither<Engine, RaiError, A>

/** The services that a program may require: the engine, and files. */
export type Services = Core.Engine | NodeServices.NodeServices

/**
 * Turns any program of the library into a pipeline. Its errors become lefts; a defect, which is a bug, rejects the promise, as any exception in a
 * task does.
 *
 * ```ts
 * import { Dataset, Moons, ReferenceEngine } from "@rai/core"
 * import { Engine, Pipeline } from "@rai/fp-ts"
 * import * as E from "fp-ts/lib/Either.js"
 * import { pipe } from "fp-ts/lib/function.js"
 *
 * const moons = Pipeline.fromEffect(Moons.make({ examples: 20, seed: 1 }))
 * pipe(await pipe(moons, Engine.using(ReferenceEngine.layer))(), E.map(Dataset.examples)) // => E.right(20)
 * ```
 */
export const fromEffect =
  <A, E>(effect: Effect.Effect<A, E, Services>): ReaderTaskEither<Engine, E | Cancelled, A> =>
  ({ service, signal }) =>
    Bridge.toTaskEither(
      effect.pipe(Effect.provideService(Core.Engine, service), Effect.provide(NodeServices.layer)),
      signal
    )

/** Turns any stream of the library into an async iterable: its elements are rights, and an error is a left at the end. */
export const fromStream =
  <A, E>(stream: Stream.Stream<A, E, Services>): Reader<Engine, AsyncIterable<Either<E | Cancelled, A>>> =>
  ({ service, signal }) =>
    Bridge.toAsyncIterable(
      stream.pipe(Stream.provideService(Core.Engine, service), Stream.provide(NodeServices.layer)),
      signal
    )
