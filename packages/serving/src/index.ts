/**
 * The Open Inference Protocol over onnxruntime-node.
 */
export * as Access from "./Access.ts"
export * as DataPlane from "./DataPlane.ts"
export * as Datatype from "./Datatype.ts"
export * as GrpcTransport from "./grpc/GrpcTransport.ts"
export * as HttpTransport from "./http/HttpTransport.ts"
export * as InferenceServer from "./InferenceServer.ts"
export * as InferTensor from "./InferTensor.ts"
export * as Model from "./Model.ts"
export * as ModelSignature from "./ModelSignature.ts"
export * as RequestError from "./RequestError.ts"
export * as ModelRepository from "./repository/ModelRepository.ts"
export * as ExecutionProviders from "./worker/ExecutionProviders.ts"
