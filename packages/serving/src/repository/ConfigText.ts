/**
 * The text form of Triton's ModelConfig, as it stands in `config.pbtxt`.
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

/** The same as JSON. What is given and 0 stays there: `max_batch_size: 0` says more than nothing does. */
export const read = (text: string): Effect.Effect<unknown, string> =>
  Effect.try({
    try: () => type.toObject(textformat.fromText(type, text), { enums: String, longs: String }),
    catch: (cause) =>
      cause instanceof Error ? cause.message.replace(/^\.inference\./, "").slice(0, 120) : "it has another form"
  })
