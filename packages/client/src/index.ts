/**
 * A typed client of the Open Inference Protocol, for this server, Triton and KServe. It needs only `fetch`, nothing from Node.
 */
export * as ClientError from "./ClientError.ts"
export * as InferenceClient from "./InferenceClient.ts"
export * as PromiseClient from "./PromiseClient.ts"
export * as Tensor from "./Tensor.ts"
