/**
 * A raw HTTP/2 client for calls that no gRPC client would make.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, constants } from "node:http2"
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf"
import { Effect } from "effect"
import { ModelInferRequestSchema } from "../../src/grpc/grpc_service_pb.ts"

export const infer = "/inference.GRPCInferenceService/ModelInfer"
export const stream = "/inference.GRPCInferenceService/ModelStreamInfer"

/** Frames a message with its gRPC prefix. */
export const framed = (message: Uint8Array, compressed = false): Buffer => {
  const bytes = Buffer.concat([Buffer.alloc(5), message])
  bytes[0] = compressed ? 1 : 0
  bytes.writeUInt32BE(message.length, 1)
  return bytes
}

/** Encodes a request for `echo` with `bytes` bytes of tensor data. */
export const message = (bytes = 8, more: MessageInitShape<typeof ModelInferRequestSchema> = {}): Uint8Array =>
  toBinary(
    ModelInferRequestSchema,
    create(ModelInferRequestSchema, {
      modelName: "echo",
      inputs: [{ name: "x", datatype: "FP32", shape: [BigInt(bytes / 8), 2n] }],
      rawInputContents: [new Uint8Array(bytes)],
      ...more
    })
  )

export const connect = (address: string) =>
  Effect.acquireRelease(
    Effect.sync(() => connectHttp2(`http://${address}`).on("error", () => {})),
    (session) => Effect.sync(() => session.destroy())
  )

/** Begins a call, which the test goes on to write. */
export const begin = (
  session: ClientHttp2Session,
  path: string,
  headers: Readonly<Record<string, string>> = {}
): ClientHttp2Stream =>
  session
    .request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...headers })
    .on("error", () => {})

/** Writes, and waits until the server has read what was written. */
export const write = (call: ClientHttp2Stream, bytes: Uint8Array) =>
  Effect.callback<void>((resume) => {
    // Not before it is written: a ping goes before data that still wait.
    call.write(bytes, () => call.session?.ping(() => resume(Effect.void)))
  })

/** Resets a call, and waits until the server knows. */
export const reset = (call: ClientHttp2Stream) =>
  Effect.callback<void>((resume) => {
    const { session } = call
    call.once("close", () => session?.ping(() => resume(Effect.void)))
    call.close(constants.NGHTTP2_CANCEL)
  })

export interface End {
  readonly http: number | undefined
  /** `grpc-status`, in the headers or the trailers. */
  readonly status: string | undefined
  readonly message: string | undefined
  readonly pushback: string | undefined
  readonly bytes: number
  /** HTTP/2 error code of a reset. */
  readonly code: number | undefined
}

/** Waits for the end of a call, by its status or by a reset. */
export const end = (call: ClientHttp2Stream) =>
  Effect.callback<End>((resume) => {
    let heads: Record<string, unknown> = {}
    let bytes = 0
    call.on("response", (headers) => {
      heads = { ...heads, ...headers }
    })
    call.on("trailers", (headers) => {
      heads = { ...heads, ...headers }
    })
    call.on("data", (part: Buffer) => {
      bytes += part.length
    })
    const done = () =>
      resume(
        Effect.succeed({
          http: heads[":status"] as number | undefined,
          status: heads["grpc-status"] as string | undefined,
          message: heads["grpc-message"] as string | undefined,
          pushback: heads["grpc-retry-pushback-ms"] as string | undefined,
          bytes,
          code: call.rstCode
        })
      )
    call.on("end", done)
    call.on("close", done)
  })
