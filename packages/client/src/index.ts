/**
 * A typed client of the Open Inference Protocol: this server's, Triton's, KServe's. It needs `fetch` and nothing of Node.
 */
export * as ClientError from "./ClientError.ts"
export * as InferenceClient from "./InferenceClient.ts"
export * as PromiseClient from "./PromiseClient.ts"
export * as Tensor from "./Tensor.ts"
