/**
 * The pipelines of `@rai/core` for fp-ts: `ReaderTaskEither<Engine, RaiError, A>`.
 */
export * as Data from "./Data.ts"
export * as Engine from "./Engine.ts"
export * as Model from "./Model.ts"
export * as Pipeline from "./Pipeline.ts"
export * as Plans from "./Plans.ts"
export { Cancelled, type RaiError } from "./RaiError.ts"
export * as Results from "./Results.ts"
export * as Score from "./Score.ts"
export * as Training from "./Training.ts"
