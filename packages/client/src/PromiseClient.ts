/**
 * The same calls as promises, for programs without Effect.
 *
 * ```ts
 * import { PromiseClient, Tensor } from "@rai/client"
 *
 * const client = PromiseClient.make({ url: "http://127.0.0.1:8080", timeout: "2 seconds" })
 * const x = Tensor.make("FP32", [1, 2], [0.5, 1])
 * const answer = await client
 *   .infer("moons", { x }, { outputs: { probability: "FP32" } })
 *   .then(({ outputs }) => outputs.probability.data) // a Float32Array
 *   .catch((error) => error._tag) // such as "Unreachable", where no server listens there
 * ```
 */
import { Cause, Effect, Exit } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as InferenceClient from "./InferenceClient.ts"
import type { Datatype, Tensor } from "./Tensor.ts"

/** A signal that aborts a call: its promise rejects with the signal's reason, and the server removes the request from its queue. */
export interface Abort {
  readonly signal?: AbortSignal | undefined
}

/** The client's calls; a failing one rejects with a `ClientError`. */
export interface PromiseClient {
  /** Resolves where the server takes requests and, if it has models to serve, any of them answers; `modelReady` tells of one model. */
  readonly serverReady: (abort?: Abort) => Promise<void>
  readonly serverMetadata: (abort?: Abort) => Promise<InferenceClient.ServerMetadata>
  readonly modelReady: (model: string, options?: InferenceClient.Version & Abort) => Promise<void>
  readonly modelMetadata: (
    model: string,
    options?: InferenceClient.Version & Abort
  ) => Promise<InferenceClient.ModelMetadata>
  readonly infer: <const Outputs extends Readonly<Record<string, Datatype>> = Readonly<Record<string, Datatype>>>(
    model: string,
    inputs: Readonly<Record<string, Tensor>>,
    options?: InferenceClient.InferOptions<Outputs> & Abort
  ) => Promise<InferenceClient.InferResult<Outputs>>
  readonly index: (abort?: Abort) => Promise<InferenceClient.Index>
  /** Loads or reloads a model; needs the server's admin token. */
  readonly load: (model: string, options?: InferenceClient.LoadOptions & Abort) => Promise<void>
  /** Unloads a model; needs the server's admin token. */
  readonly unload: (model: string, abort?: Abort) => Promise<void>
}

/** A client over `fetch`, for browsers and Node. */
export const make = (options: InferenceClient.Options): PromiseClient => {
  const calls = Effect.runSync(InferenceClient.make(options).pipe(Effect.provide(FetchHttpClient.layer)))
  const run = <A, E>(call: Effect.Effect<A, E>, { signal }: Abort = {}): Promise<A> =>
    Effect.runPromiseExit(call, { signal }).then((exit) => {
      if (Exit.isSuccess(exit)) return exit.value
      return Promise.reject(signal?.aborted ? signal.reason : Cause.squash(exit.cause))
    })
  return {
    serverReady: (abort) => run(calls.serverReady, abort),
    serverMetadata: (abort) => run(calls.serverMetadata, abort),
    modelReady: (model, options) => run(calls.modelReady(model, options), options),
    modelMetadata: (model, options) => run(calls.modelMetadata(model, options), options),
    infer: (model, inputs, options) => run(calls.infer(model, inputs, options), options),
    index: (abort) => run(calls.index, abort),
    load: (model, options) => run(calls.load(model, options), options),
    unload: (model, abort) => run(calls.unload(model), abort)
  }
}
