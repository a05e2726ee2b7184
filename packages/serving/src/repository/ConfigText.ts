/**
 * The text form of Triton's ModelConfig, as in `config.pbtxt`.
 */
import { create, toBinary } from "@bufbuild/protobuf"
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt"
import { Effect } from "effect"
import protobuf from "protobufjs/light.js"
import "protobufjs/ext/descriptor.js"
import textformat from "protobufjs/ext/textformat.js"
import { file_model_config, ModelConfigSchema } from "../grpc/model_config_pb.ts"

const files = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [file_model_config.proto] }))
const type = protobuf.Root.fromDescriptor(files, { keepCase: true }).lookupType(ModelConfigSchema.typeName)

/** Reads the text form as JSON. Fields set to 0 are kept: `max_batch_size: 0` says more than leaving it out. */
export const read = (text: string): Effect.Effect<unknown, string> =>
  Effect.try({
    try: () => type.toObject(textformat.fromText(type, text), { enums: String, longs: String }),
    catch: (cause) =>
      cause instanceof Error ? cause.message.replace(/^\.inference\./, "").slice(0, 120) : "it has another form"
  })
