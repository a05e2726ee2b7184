/**
 * grpc.reflection, v1 and v1alpha: which services there are, and their descriptions, so that grpcurl and the like need no .proto files.
 */
import { createRegistry, type DescFile, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf"
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt"
import type { Method } from "./Call.ts"
import * as Calls from "./Calls.ts"
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema
} from "./reflection_pb.ts"
import type * as Alpha from "./reflection_v1alpha_pb.ts"
import {
  ServerReflectionRequestSchema as AlphaRequestSchema,
  ServerReflectionResponseSchema as AlphaResponseSchema
} from "./reflection_v1alpha_pb.ts"
import * as Status from "./Status.ts"

type Request = Pick<ServerReflectionRequest | Alpha.ServerReflectionRequest, "host" | "messageRequest">
type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>

// A file, preceded by all files that it depends on.
const closure = (file: DescFile): ReadonlyArray<DescFile> => [...new Set([...file.dependencies.flatMap(closure), file])]

const unknown = (what: string): Answer => ({
  case: "errorResponse",
  value: { errorCode: Status.code.NOT_FOUND, errorMessage: `there is no ${what} here` }
})

const answers = (files: ReadonlyArray<DescFile>) => {
  const all = files.flatMap(closure)
  const registry = createRegistry(...all)
  const services = files.flatMap((file) => file.services.map(({ typeName }) => ({ name: typeName })))
  const described = (file: DescFile): Answer => ({
    case: "fileDescriptorResponse",
    value: { fileDescriptorProto: closure(file).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto)) }
  })
  // A method or a field is described together with what contains it.
  const containing = (symbol: string) => registry.get(symbol) ?? registry.get(symbol.slice(0, symbol.lastIndexOf(".")))
  return ({ messageRequest: { case: kind, value } }: Request): Answer => {
    switch (kind) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: services } }
      case "fileByFilename": {
        const file = all.find(({ proto }) => proto.name === value)
        return file === undefined ? unknown("file of this name") : described(file)
      }
      case "fileContainingSymbol": {
        const found = containing(value)
        return found === undefined ? unknown("symbol of this name") : described(found.file)
      }
      case "fileContainingExtension":
        return unknown("extension")
      case "allExtensionNumbersOfType":
        return registry.getMessage(value) === undefined
          ? unknown("message of this name")
          : { case: "allExtensionNumbersResponse", value: { baseTypeName: value, extensionNumber: [] } }
      case undefined:
        return {
          case: "errorResponse",
          value: {
            errorCode: Status.code.INVALID_ARGUMENT,
            errorMessage: "the request asks nothing; set one of its fields"
          }
        }
    }
  }
}

/** The methods of both versions, whose messages differ only in name. */
export const methods = (files: ReadonlyArray<DescFile>): Readonly<Record<"v1" | "v1alpha", Record<string, Method>>> => {
  const answer = answers(files)
  const serve = (
    input: typeof ServerReflectionRequestSchema | typeof AlphaRequestSchema,
    output: typeof ServerReflectionResponseSchema | typeof AlphaResponseSchema
  ): Record<string, Method> => ({
    serverReflectionInfo: {
      route: "other",
      streams: true,
      serve: (call) => ({
        message: (bytes) => {
          const request: Request | undefined = Calls.read<DescMessage>(call, input, bytes) as Request | undefined
          if (request === undefined) return
          const messageResponse = answer(request)
          call.release(bytes.length)
          const hasRoom = call.write(Calls.write<DescMessage>(output, { validHost: request.host, messageResponse }))
          if (!hasRoom) call.pause()
        },
        drain: () => call.resume(),
        end: () => call.end(),
        stop: () => call.end()
      })
    }
  })
  return {
    v1: serve(ServerReflectionRequestSchema, ServerReflectionResponseSchema),
    v1alpha: serve(AlphaRequestSchema, AlphaResponseSchema)
  }
}
