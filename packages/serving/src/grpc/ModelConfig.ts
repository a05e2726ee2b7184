/**
 * How a model is served, as Triton's message of the same name.
 */
import { fromJson, type JsonObject } from "@bufbuild/protobuf"
import type { ModelConfig } from "../DataPlane.ts"
import { isDatatype } from "../Datatype.ts"
import type { TensorSpec } from "../ModelSignature.ts"
import { type ModelConfig as Message, ModelConfigSchema } from "./model_config_pb.ts"

const dataType = (datatype: string): string =>
  datatype === "BYTES" ? "TYPE_STRING" : isDatatype(datatype) ? `TYPE_${datatype}` : "TYPE_INVALID"

// Triton leaves the examples' axis out of a model's sizes where it batches.
const tensor = (batches: boolean) => (spec: TensorSpec) => {
  const dims = spec.shape.map((size) => (typeof size === "number" ? size : -1))
  return { name: spec.name, data_type: dataType(spec.datatype), dims: batches && dims[0] === -1 ? dims.slice(1) : dims }
}

/** The settings have the message's own JSON form. */
export const write = ({ inputs, maxBatchSize, name, outputs, platform, settings }: ModelConfig): Message => {
  const config = {
    ...settings,
    name,
    platform,
    backend: "onnxruntime",
    max_batch_size: maxBatchSize,
    input: inputs.map(tensor(maxBatchSize > 0)),
    output: outputs.map(tensor(maxBatchSize > 0)),
    default_model_filename: "model.onnx"
  }
  return fromJson(ModelConfigSchema, config as unknown as JsonObject, { ignoreUnknownFields: true })
}
