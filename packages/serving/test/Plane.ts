/**
 * The data plane without a transport, and requests for it.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Logger, type Result } from "effect"
import { DataPlane, type ModelName } from "../src/DataPlane.ts"
import type { InferRequest, InferResponse } from "../src/InferTensor.ts"
import type { RequestError } from "../src/RequestError.ts"
import type * as ModelManager from "../src/repository/ModelManager.ts"
import { ModelRepository } from "../src/repository/ModelRepository.ts"

/** The data plane over a repository, on the CPU. */
export const layer = (repository: string, options: Omit<ModelManager.Options, "providers"> = {}) =>
  DataPlane.layer({ providers: ["cpu"], ...options }).pipe(
    Layer.provide(ModelRepository.layer(repository)),
    Layer.provide(NodeServices.layer)
  )

/** Collects logged warnings and errors, with the layer that does so. */
export const log = () => {
  const warnings: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel === "Warn" || logLevel === "Error") warnings.push([message].flat().join(" "))
  })
  return { warnings, layer: Logger.layer([logger]) }
}

export type Answered = Result.Result<InferResponse, RequestError>

/** Makes a request with one input x of `rows` rows. */
export const x = (rows: number, data: Float32Array): InferRequest => ({
  inputs: [{ name: "x", datatype: "FP32", shape: [rows, data.length / rows], data }]
})

/** Makes a request for the n-fold iterated sine of 0; an iteration takes some 300 ns. */
export const sines = (n: number): InferRequest => ({
  inputs: [
    { name: "n", datatype: "INT64", shape: [], data: BigInt64Array.of(BigInt(n)) },
    { name: "x", datatype: "FP32", shape: [1], data: new Float32Array(1) }
  ]
})

/** Submits a request; returns its answer and a way to cancel it. */
export const ask = (service: DataPlane["Service"], name: ModelName, request: InferRequest, deadline?: number) => {
  let cancel = () => {}
  const answer = new Promise<Answered>((resolve) => {
    cancel = service.submit(name, request, deadline, resolve)
  })
  return { answer: Effect.promise(() => answer), cancel: () => cancel() }
}

/** Waits for all answers. */
export const all = (asked: ReadonlyArray<ReturnType<typeof ask>>) =>
  Effect.all(
    asked.map(({ answer }) => answer),
    { concurrency: "unbounded" }
  )
