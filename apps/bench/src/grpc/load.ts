/**
 * `node load.ts ADDRESS SECONDS`: 32 requests of one example in flight on one connection, each with raw contents; says how many were answered in a
 * second and how long the slowest hundredth took. HTTP/2 by hand, so that the client costs little beside the server.
 */
import { connect, constants } from "node:http2"
import { create, toBinary } from "@bufbuild/protobuf"
import { ModelInferRequestSchema } from "../../../../packages/serving/src/grpc/grpc_service_pb.ts"
import * as Model from "./Model.ts"

const inFlight = 32
const [address = "", seconds = "5"] = process.argv.slice(2)

const message = toBinary(
  ModelInferRequestSchema,
  create(ModelInferRequestSchema, {
    modelName: Model.name,
    inputs: [{ name: "x", datatype: "FP32", shape: [1n, 2n] }],
    rawInputContents: [new Uint8Array(new Float32Array([0.5, -0.25]).buffer)]
  })
)
const frame = Buffer.concat([Buffer.alloc(5), message])
frame.writeUInt32BE(message.length, 1)

const session = connect(`http://${address}`)
const headers = {
  [constants.HTTP2_HEADER_METHOD]: "POST",
  [constants.HTTP2_HEADER_PATH]: "/inference.GRPCInferenceService/ModelInfer",
  [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
  te: "trailers"
}

const warmUp = 1000
const began = performance.now()
const end = began + warmUp + 1000 * Number(seconds)
const times: Array<number> = []
let [answered, failed] = [0, 0]

const ask = (then: () => void) => {
  const start = performance.now()
  const stream = session.request(headers)
  let [bytes, status] = [0, "none"]
  stream.on("data", (part: Buffer) => {
    bytes += part.length
  })
  stream.on("trailers", (trailers) => {
    status = String(trailers["grpc-status"])
  })
  stream.on("error", () => {})
  stream.on("close", () => {
    const now = performance.now()
    answered++
    if (status !== "0" || bytes < 5) failed++
    if (start > began + warmUp && now < end) times.push(now - start)
    then()
  })
  stream.end(frame)
}

const keepAsking = (done: () => void): void => ask(() => (performance.now() < end ? keepAsking(done) : done()))

await Promise.all(Array.from({ length: inFlight }, () => new Promise<void>(keepAsking)))
session.close()
times.sort((a, b) => a - b)
const milliseconds = (share: number) => times[Math.floor(share * (times.length - 1))] ?? Number.NaN
console.log(
  JSON.stringify({
    answered,
    failed,
    perSecond: times.length / Number(seconds),
    p50: milliseconds(0.5),
    p99: milliseconds(0.99)
  })
)
