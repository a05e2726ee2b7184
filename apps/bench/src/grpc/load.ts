/**
 * `node load.ts ADDRESS SECONDS`: keeps 32 requests of one example in flight on one connection, each with raw contents; prints the requests answered
 * per second and the 99th percentile of latency. It uses h2load where installed (Debian's nghttp2-client), else Node's HTTP/2, which is slower than
 * the faster server.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect, constants } from "node:http2"
import { tmpdir } from "node:os"
import { join } from "node:path"
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

const path = "/inference.GRPCInferenceService/ModelInfer"
const session = connect(`http://${address}`)
const headers = {
  [constants.HTTP2_HEADER_METHOD]: "POST",
  [constants.HTTP2_HEADER_PATH]: path,
  [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
  te: "trailers"
}

/** Sends one request; passes on the length of the answer in bytes, or 0 where its status is an error. */
const ask = (then: (bytes: number) => void) => {
  const stream = session.request(headers)
  let [bytes, status] = [0, "none"]
  stream.on("data", (part: Buffer) => {
    bytes += part.length
  })
  stream.on("trailers", (trailers) => {
    status = String(trailers["grpc-status"])
  })
  stream.on("error", () => {})
  stream.on("close", () => then(status === "0" ? bytes : 0))
  stream.end(frame)
}

const say = (answered: number, failed: number, perSecond: number, milliseconds: ReadonlyArray<number>) => {
  const times = milliseconds.toSorted((a, b) => a - b)
  const share = (part: number) => times[Math.floor(part * (times.length - 1))] ?? Number.NaN
  console.log(JSON.stringify({ answered, failed, perSecond, p50: share(0.5), p99: share(0.99) }))
}

const byNode = async () => {
  const warmUp = 1000
  const began = performance.now()
  const end = began + warmUp + 1000 * Number(seconds)
  const times: Array<number> = []
  let [answered, failed] = [0, 0]
  const keepAsking = (done: () => void): void => {
    const start = performance.now()
    ask((bytes) => {
      const now = performance.now()
      answered++
      if (bytes === 0) failed++
      if (start > began + warmUp && now < end) times.push(now - start)
      if (now < end) keepAsking(done)
      else done()
    })
  }
  await Promise.all(Array.from({ length: inFlight }, () => new Promise<void>(keepAsking)))
  say(answered, failed, times.length / Number(seconds), times)
}

const byH2load = async () => {
  const folder = mkdtempSync(join(tmpdir(), "rai-load-"))
  const [body, log] = [join(folder, "frame"), join(folder, "log")]
  writeFileSync(body, frame)
  // A gRPC error has HTTP status 200 as well, but no answer; all answers have the same length, so the bytes received count them.
  const length = await new Promise<number>(ask)
  const run = (count: number) => {
    const options = [`-d${body}`, `--log-file=${log}`, "-c1", `-m${inFlight}`, `-n${count}`]
    const sent = ["-Hcontent-type: application/grpc", "-Hte: trailers"]
    const said = spawnSync("h2load", [...options, ...sent, `http://${address}${path}`], { encoding: "utf8" }).stdout
    const number = (pattern: RegExp) => Number(pattern.exec(said)?.[1])
    const answers = number(/\((\d+)\) data/) / length
    return { failed: count - answers, perSecond: number(/, ([\d.]+) req\/s/) }
  }
  try {
    const trial = 2000
    const first = run(trial)
    const count = Math.ceil(first.perSecond * Number(seconds))
    writeFileSync(log, "")
    const { failed, perSecond } = run(count)
    const times = readFileSync(log, "utf8").trim().split("\n")
    const milliseconds = times.map((line) => Number(line.split("\t")[2]) / 1000)
    say(1 + trial + count, first.failed + failed, perSecond, milliseconds)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

await (spawnSync("h2load", ["--version"]).status === 0 ? byH2load() : byNode())
session.close()
