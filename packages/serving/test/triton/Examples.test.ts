import { execFile } from "node:child_process"
import { cpSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as InferenceServer from "../../src/InferenceServer.ts"
import * as Folder from "../Folder.ts"
import { images, models, sequences } from "../http/Ask.ts"

// TRITON_EXAMPLES names src/python/examples of triton-inference-server/client, TRITON_PYTHON a Python that can run them (README.md).
const { TRITON_EXAMPLES: examples = "", TRITON_PYTHON: program = "python3" } = process.env

const python = (...args: ReadonlyArray<string>) =>
  Effect.callback<{ readonly code: number; readonly said: string }>((resume) => {
    const child = execFile(program, args, (_, said, errors) =>
      resume(Effect.succeed({ code: child.exitCode ?? -1, said: said + errors }))
    )
  })

/** Scripts whose name says the transport; the last one unloads the model that the others use. */
const ofHttp = [
  "simple_http_health_metadata.py",
  "simple_http_infer_client.py",
  "simple_http_infer_client.py --request-compression-algorithm gzip --response-compression-algorithm deflate",
  "simple_http_infer_client.py --request-compression-algorithm deflate --response-compression-algorithm gzip",
  "simple_http_async_infer_client.py",
  "simple_http_aio_infer_client.py",
  "simple_http_string_infer_client.py",
  "simple_http_model_control.py"
]
const ofGrpc = [
  "grpc_client.py",
  "grpc_explicit_byte_content_client.py",
  "grpc_explicit_int8_content_client.py",
  "grpc_explicit_int_content_client.py",
  "simple_grpc_health_metadata.py",
  "simple_grpc_infer_client.py",
  "simple_grpc_infer_client.py -C gzip",
  "simple_grpc_async_infer_client.py",
  "simple_grpc_aio_infer_client.py",
  "simple_grpc_string_infer_client.py",
  "simple_grpc_custom_args_client.py",
  "simple_grpc_keepalive_client.py",
  "simple_grpc_keepalive_client.py --grpc-keepalive-time 1000 --grpc-keepalive-permit-without-calls",
  "simple_grpc_model_control.py"
]

const sequencesOfHttp = ["simple_http_sequence_sync_infer_client.py"]
const sequencesOfGrpc = [
  "simple_grpc_sequence_sync_infer_client.py",
  "simple_grpc_sequence_stream_infer_client.py",
  "simple_grpc_aio_sequence_stream_infer_client.py"
]

const imagesOfHttp = [
  "image_client.py -m colours -s VGG -c 2",
  "image_client.py -m colours -c 2 -b 3 -a",
  "image_client.py -m densenet_onnx -s INCEPTION -c 3"
]
const imagesOfGrpc = [
  "image_client.py -i grpc -m colours -c 2 -b 2",
  "image_client.py -i grpc -m colours -b 2 -a",
  "image_client.py -i grpc -m colours -b 2 --streaming",
  "image_client.py -i grpc -m densenet_onnx -c 4",
  "grpc_image_client.py -m colours -c 2 -b 2",
  "grpc_image_client.py -m colours -a",
  "grpc_image_client.py -m densenet_onnx -s INCEPTION -c 3 --streaming"
]

const draw = `
import sys
from PIL import Image
for name, colour in {"a.png": (200, 30, 20), "b.jpg": (20, 30, 200), "c.png": (30, 200, 20)}.items():
    Image.new("RGB", (64, 48), colour).save(sys.argv[1] + "/" + name)
`

/** Runs scripts against a server as they expect it: named triton, with seven models over HTTP and eight over gRPC. */
const ask = Effect.fnUntraced(function* (
  repository: string,
  http: ReadonlyArray<string>,
  grpc: ReadonlyArray<string>,
  more: ReadonlyArray<string> = []
) {
  const server = InferenceServer.layer({
    ...{ repository, port: 0, grpcPort: 0, name: "triton", access: { admin: "open" } },
    executionProviders: ["cpu"]
  })
  return yield* Effect.gen(function* () {
    const { grpc: address = "", url } = yield* InferenceServer.InferenceServer
    const runs = [
      ...http.map((line) => ({ line, at: new URL(url).host })),
      ...grpc.map((line) => ({ line, at: address }))
    ]
    return yield* Effect.forEach(runs, ({ at, line }) => {
      const [script = "", ...flags] = line.split(" ")
      const file = join(examples, script)
      // Some end with 0 whatever came; most then lack their last word.
      const word = readFileSync(file, "utf8").includes("PASS") ? "PASS" : ""
      return Effect.map(python(file, ...flags, "-u", at, ...more), ({ code, said }) => ({ line, code, said, word }))
    })
  }).pipe(Effect.provide(server))
})

it.live.runIf(examples !== "")(
  "answers Triton's example clients as they are",
  () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const eight = join(folder, "eight")
      cpSync(models, eight, { recursive: true })
      cpSync(join(images, "densenet_onnx"), join(eight, "densenet_onnx"), { recursive: true })
      const pictures = join(folder, "pictures")
      mkdirSync(pictures)
      assert.deepStrictEqual(yield* python("-c", draw, pictures), { code: 0, said: "" })
      const seen = yield* ask(images, imagesOfHttp, imagesOfGrpc, [pictures])
      const ended = [
        ...(yield* ask(models, ofHttp, [])),
        ...(yield* ask(eight, [], ofGrpc)),
        ...(yield* ask(sequences, sequencesOfHttp, sequencesOfGrpc)),
        ...seen
      ]
      assert.deepStrictEqual(
        ended.filter(({ code, said, word }) => code !== 0 || !said.includes(word)),
        []
      )
      // Each first picture is red, unless the whole is made dark.
      for (const { line, said } of seen) assert.match(said, /\((0|3)\) = (red|RED|grey|DARK)/, line)
    }).pipe(Effect.scoped),
  300_000
)
