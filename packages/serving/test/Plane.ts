/**
 * The data plane without a transport, and requests to it.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Logger, type Result } from "effect"
import { DataPlane, type ModelName } from "../src/DataPlane.ts"
import type { InferRequest, InferResponse } from "../src/InferTensor.ts"
import type { RequestError } from "../src/RequestError.ts"
import type * as ModelManager from "../src/repository/ModelManager.ts"
import { ModelRepository } from "../src/repository/ModelRepository.ts"

/** Over a repository, on the CPU. */
export const layer = (repository: string, options: Omit<ModelManager.Options, "providers"> = {}) =>
  DataPlane.layer({ providers: ["cpu"], ...options }).pipe(
    Layer.provide(ModelRepository.layer(repository)),
    Layer.provide(NodeServices.layer)
  )

/** What is logged from the warnings up, and the layer that writes it down. */
export const log = () => {
  const warnings: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel === "Warn" || logLevel === "Error") warnings.push([message].flat().join(" "))
  })
  return { warnings, layer: Logger.layer([logger]) }
}

export type Answered = Result.Result<InferResponse, RequestError>

/** One input x of so many rows. */
export const x = (rows: number, data: Float32Array): InferRequest => ({
  inputs: [{ name: "x", datatype: "FP32", shape: [rows, data.length / rows], data }]
})

/** The sine of the sine … of 0, n times: some 300 ns each. */
export const sines = (n: number): InferRequest => ({
  inputs: [
    { name: "n", datatype: "INT64", shape: [], data: BigInt64Array.of(BigInt(n)) },
    { name: "x", datatype: "FP32", shape: [1], data: new Float32Array(1) }
  ]
})

/** A request under way: its answer, and the way to take it back. */
export const ask = (service: DataPlane["Service"], name: ModelName, request: InferRequest, deadline?: number) => {
  let cancel = () => {}
  const answer = new Promise<Answered>((resolve) => {
    cancel = service.submit(name, request, deadline, resolve)
  })
  return { answer: Effect.promise(() => answer), cancel: () => cancel() }
}

/** All the answers. */
export const all = (asked: ReadonlyArray<ReturnType<typeof ask>>) =>
  Effect.all(
    asked.map(({ answer }) => answer),
    { concurrency: "unbounded" }
  )
