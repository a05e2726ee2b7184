import { request as httpRequest } from "node:http"
import { assert, it, layer } from "@effect/vitest"
import { InferenceSession, Tensor } from "@rai/onnxruntime"
import { Effect, Layer, Logger } from "effect"
import * as fc from "fast-check"
import * as InferenceServer from "../src/InferenceServer.ts"
import { call, fixtures, tensor } from "./Client.ts"
import * as Folder from "./Folder.ts"

const live = { excludeTestServices: true }
const infer = "/v2/models/sigmoid/infer"
const x = (shape: ReadonlyArray<number>, data: unknown) => ({ inputs: [tensor("x", "FP32", shape, data)] })

const cuda = "the CUDA provider's library is not installed (libonnxruntime_providers_cuda.so missing)"
const example = '{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 1]}]}'
const extensions = [
  "binary_tensor_data",
  "classification",
  "model_configuration",
  "model_repository",
  "model_repository(unload_dependents)",
  "statistics"
]
const takesX = 'the model takes "x" as FP32 [-1, 2]'

layer(InferenceServer.layer({ repository: fixtures, port: 0, executionProviders: ["cuda", "cpu"] }), live)(
  "routes",
  (it) => {
    it.effect("answers what it is and what it has", () =>
      Effect.gen(function* () {
        const { url } = yield* InferenceServer.InferenceServer
        assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
        assert.strictEqual((yield* call("/")).status, 200)
        assert.deepStrictEqual((yield* call("/v2")).body, { name: "rai", version: "0.1.0", extensions })
        assert.deepStrictEqual((yield* call("/v2/health/live")).body, { live: true })
        assert.deepStrictEqual((yield* call("/v2/health/ready")).body, { ready: true })
        for (const path of ["/v2/models/sigmoid/ready", "/v2/models/sigmoid/versions/1/ready"]) {
          assert.deepStrictEqual((yield* call(path)).body, { name: "sigmoid", ready: true })
        }
        for (const path of ["/v2/models/sigmoid", "/v2/models/sigmoid/versions/1"]) {
          const { body } = yield* call(path)
          const { cuda_not_taken, ...parameters } = body.parameters as Record<string, string>
          assert.deepStrictEqual(
            { ...body, parameters },
            {
              name: "sigmoid",
              versions: ["1"],
              platform: "onnxruntime_onnx",
              parameters: { execution_provider: cuda_not_taken === undefined ? "cuda" : "cpu" },
              inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
              outputs: [
                { name: "y", datatype: "FP32", shape: [-1, 3] },
                { name: "logit", datatype: "FP32", shape: [-1, 3] }
              ]
            }
          )
          if (cuda_not_taken !== undefined && process.platform === "linux") assert.strictEqual(cuda_not_taken, cuda)
        }
      })
    )

    it.effect("refuses unknown models, versions, routes and verbs", () =>
      Effect.gen(function* () {
        const known = "ask for one of: identity, loop, reshape, sigmoid"
        const table: ReadonlyArray<readonly [path: string, method: string, status: number, error: string]> = [
          ["/v2/models/moons", "GET", 404, `Request for unknown model: "moons" is not here; ${known}`],
          ["/v2/models/moons/infer", "POST", 404, `Request for unknown model: "moons" is not here; ${known}`],
          [
            "/v2/models/..%2F..%2Fetc%2Fpasswd",
            "GET",
            404,
            `Request for unknown model: "../../etc/passwd" is not here; ${known}`
          ],
          [
            "/v2/models/sigmoid/versions/2",
            "GET",
            404,
            'Request for unknown model: "sigmoid" in version "2" is not here; ask for one of its versions: 1'
          ],
          [
            "/v2/models/sigmoid/versions/v'1",
            "GET",
            404,
            "failed to get model version from specified version string 'v'1' for the model \"sigmoid\"; a version is a whole number from 1; ask for one of the model's own, or for none to have the latest"
          ],
          [
            "/v2/models/moons/versions/v1",
            "GET",
            404,
            `Request for unknown model: "moons" in version "v1" is not here; ${known}`
          ],
          ["/v3", "GET", 404, "there is no such route; GET / says what this server speaks"],
          ["/v2/models/%ZZ", "GET", 404, "there is no such route; GET / says what this server speaks"],
          ["/v2", "POST", 405, "/v2 takes GET; POST came; send GET"],
          [infer, "GET", 405, "/v2/models/:model/infer takes POST; GET came; send POST"],
          ["/v2/health/live", "DELETE", 405, "/v2/health/live takes GET; DELETE came; send GET"]
        ]
        for (const [path, method, status, error] of table) {
          const answer = yield* call(path, undefined, { method })
          assert.deepStrictEqual([path, answer.status, answer.body], [path, status, { error }])
        }
      })
    )

    it.effect("answers as onnxruntime does when it is called directly", () =>
      Effect.gen(function* () {
        const session = yield* Effect.promise(() => InferenceSession.create(`${fixtures}/sigmoid.onnx`))
        const rows = fc.sample(
          fc.array(fc.tuple(fc.float({ noNaN: true }), fc.float({ noNaN: true })), { maxLength: 8 }),
          30
        )
        for (const batch of rows) {
          const flat = batch.flat()
          const feeds = { x: new Tensor("float32", Float32Array.from(flat), [batch.length, 2]) }
          const expected = yield* Effect.promise(() => session.run(feeds))
          const nested = batch.map((row) => row.map(spell))
          for (const data of [flat.map(spell), ...(batch.length > 0 ? [nested] : [])]) {
            const { status, body } = yield* call(infer, { id: "7", ...x([batch.length, 2], data) })
            assert.deepStrictEqual([status, body.model_name, body.model_version, body.id], [200, "sigmoid", "1", "7"])
            const outputs = body.outputs as ReadonlyArray<{ name: string; shape: unknown; data: Array<unknown> }>
            assert.deepStrictEqual(
              outputs.map(({ name }) => name),
              ["y", "logit"]
            )
            for (const { name, shape, data } of outputs) {
              assert.deepStrictEqual(shape, [batch.length, 3])
              assert.deepStrictEqual(Float32Array.from(data.map(Number)), expected[name]!.data as Float32Array)
            }
          }
        }
      })
    )

    it.effect("gives the outputs that were asked for, in that order, and no id that was not sent", () =>
      Effect.gen(function* () {
        const { body } = yield* call(infer, { ...x([1, 2], [0, 0]), outputs: [{ name: "logit" }] })
        assert.deepStrictEqual(body, {
          model_name: "sigmoid",
          model_version: "1",
          outputs: [{ name: "logit", datatype: "FP32", shape: [1, 3], data: [0.1, -0.2, 0.3].map(Math.fround) }]
        })
      })
    )

    it.effect("carries every datatype's values unchanged", () =>
      Effect.gen(function* () {
        // As JSON text: what an element is sent as, and what it must come back as.
        const elements = {
          FP32: ["0.5,-1e-7,3.4028234663852886e38", '"NaN","-Infinity"'],
          FP64: ["0.1,-1.7976931348623157e+308,123456789012345680", '"NaN","Infinity"'],
          INT32: ["-2147483648,2147483647,0", "7,-7"],
          INT64: ["9007199254740993,-9223372036854775808,9223372036854775807", "0,-1"],
          BOOL: ["true,false,true", "false,true"],
          UINT8: ["0,255,128", "1,2"]
        }
        const inputs = Object.entries(elements).map(
          ([name, text]) => `{"name":"${name}","datatype":"${name}","shape":[5],"data":[${text.join(",")}]}`
        )
        const { status, text } = yield* call("/v2/models/identity/infer", `{"inputs":[${inputs.join(",")}]}`)
        assert.strictEqual(status, 200)
        const sent = Object.entries(elements).map(
          ([name, text]) => `{"name":"${name}_out","datatype":"${name}","shape":[5],"data":[${text.join(",")}]}`
        )
        const plain = (json: string) => json.replaceAll(/"data":\[0.5,[^\]]*\]/g, numbers).replaceAll("e+", "e")
        assert.strictEqual(
          plain(text),
          plain(`{"model_name":"identity","model_version":"1","outputs":[${sent.join(",")}]}`)
        )
      })
    )

    it.effect("takes NaN and the infinities as bare words, as Python's json writes them", () =>
      Effect.gen(function* () {
        const body =
          '{"id":"NaN, \\"Infinity","inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[NaN,-Infinity]}]}'
        const { status, body: answer } = yield* call(infer, body)
        assert.deepStrictEqual([status, answer.id], [200, 'NaN, "Infinity'])
      })
    )

    it.effect("takes a 64-bit integer as a string too", () =>
      Effect.gen(function* () {
        const loop = { inputs: [tensor("n", "INT64", [], ["0"]), tensor("x", "FP32", [1], [0.25])] }
        const { body } = yield* call("/v2/models/loop/infer", loop)
        assert.deepStrictEqual(body.outputs, [{ name: "y", datatype: "FP32", shape: [1], data: [0.25] }])
      })
    )

    it.effect("says in one line what is wrong with a request", () =>
      Effect.gen(function* () {
        const form = (rest: string) => `the body must be of the form ${example}; at ${rest}`
        const needs = (shape: string, n: number, came: number) =>
          `the input "x" of shape ${shape} needs ${n} elements in "data"; ${came} came; send the shape that its data has`
        const sizes = (came: string) =>
          `the shape of the input "x" must hold whole numbers from 0 to 2^53 - 1; ${came} came; send the sizes of its data`
        const floats = '"x" is FP32: each element is a number up to ±3.4028234e38, "NaN", "Infinity" or "-Infinity"'
        const tooDeep = "the body may nest 100 deep; it goes deeper; send its data flat"
        const otherwise = 'came with "data" nested another way; nest it as the shape says, or send it flat'
        const wrongShape = (came: string) =>
          `the input "x" has the shape [-1, 2] in the model (-1 is any size); ${came} came; send a shape that fits`
        const table: ReadonlyArray<readonly [body: unknown, error: string]> = [
          ["", `the body is not JSON; send ${example}`],
          ['{"inputs": [', `the body is not JSON; send ${example}`],
          ["[".repeat(100), `the body is not JSON; send ${example}`],
          ["[".repeat(100_000), tooDeep],
          ["[]", form("its top: Expected object")],
          ["{}", form("inputs: Missing key")],
          [{ inputs: {} }, form("inputs: Expected array")],
          [{ inputs: [{ name: "x" }] }, form("inputs[0].datatype: Missing key")],
          [{ ...x([1, 2], [1, 2]), id: 7 }, form("id: Expected string")],
          [{ ...x([1, 2], [1, 2]), outputs: ["y"] }, form("outputs[0]: Expected object")],
          [{ inputs: [] }, `${takesX}; the input "x" is missing; add it`],
          [{ inputs: [tensor("z", "FP32", [1, 2], [1, 2])] }, `${takesX}; an input "z" came; take it out or rename it`],
          [
            { inputs: [...x([1, 2], [1, 2]).inputs, ...x([1, 2], [1, 2]).inputs] },
            `${takesX}; an input came twice; send each once`
          ],
          [
            { inputs: [tensor("x", "INT64", [1, 2], [1, 2])] },
            'the input "x" is FP32 in the model; INT64 came; send the datatype FP32'
          ],
          [
            { inputs: [tensor("x", "FP16", [1, 2], [1, 2])] },
            'the input "x" is FP16, which JSON has no form for; send it as binary tensor data'
          ],
          [x([1, 3], [1, 2, 3]), wrongShape("[1, 3]")],
          [x([2], [1, 2]), wrongShape("[2]")],
          [x([1, 1, 2], [1, 2]), wrongShape("[1, 1, 2]")],
          [x([3], [1]), needs("[3]", 3, 1)],
          [x([1, 2], [1, 2, 3]), needs("[1, 2]", 2, 3)],
          [x([1, 2], []), needs("[1, 2]", 2, 0)],
          [x([2 ** 26, 2 ** 26], [1]), needs("[67108864, 67108864]", 2 ** 52, 1)],
          [
            '{"inputs":[{"name":"x","datatype":"FP32","shape":[16, 1152921504606846978],"data":[1]}]}',
            sizes("1152921504606847000")
          ],
          [x([-1, 2], [1, 2]), sizes("-1")],
          [x([-1, -2], [1, 2]), sizes("-1")],
          [x([1.5, 2], [1, 2]), sizes("1.5")],
          ['{"inputs":[{"name":"x","datatype":"FP32","shape":["a"],"data":[1]}]}', sizes('"a"')],
          [
            { inputs: [{ name: "x", datatype: "FP32", shape: [1, 2] }] },
            'the input "x" needs its elements in "data", as an array; nothing came; send a flat or nested array, or binary tensor data'
          ],
          [x([2, 2], [[1, 2], [3]]), `the input "x" of shape [2, 2] ${otherwise}`],
          [x([2, 2], [[1], [2, 3, 4]]), `the input "x" of shape [2, 2] ${otherwise}`],
          [x([1, 2], [[[1, 2]]]), `the input "x" of shape [1, 2] ${otherwise}`],
          [x([1, 2], [1, null]), `the input ${floats}; element 1 is null; correct it`],
          [x([1, 2], [1, "two"]), `the input ${floats}; element 1 is "two"; correct it`],
          [x([1, 2], [1, 1e39]), `the input ${floats}; element 1 is 1e+39; correct it`],
          [x([1, 2], [1, { a: 1 }]), `the input ${floats}; element 1 is an object; correct it`],
          [x([1, 2], [1, [2]]), `the input ${floats}; element 1 is an array; correct it`],
          [deep("[1, 1]", 100), tooDeep],
          [deep("[1, 1]", 97), `the input ${floats}; element 0 is an array; correct it`],
          [
            deep(`[${Array(100_000).fill(1).join(",")}]`, 2),
            'the shape of the input "x" may hold 32 sizes; 100000 came; send fewer dimensions'
          ],
          [
            x(Array(32).fill(1e15), [1]),
            `the input "x" of shape [${Array(8).fill(1e15).join(", ")}, …] needs more than 2^53 elements in "data"; 1 came; send the shape that its data has`
          ],
          [`{"inputs": [NaN, "${'\\"'.repeat(1_000_000)}\\`, `the body is not JSON; send ${example}`],
          [
            { ...x([1, 2], [1, 2]), outputs: [{ name: "p" }] },
            'the model gives "y" as FP32 [-1, 3], "logit" as FP32 [-1, 3]; the output "p" was asked for; ask for these'
          ]
        ]
        for (const [body, error] of table) {
          const answer = yield* call(infer, body)
          assert.deepStrictEqual([answer.status, answer.body], [400, { error }])
        }
      })
    )

    it.effect("refuses elements out of their datatype's range", () =>
      Effect.gen(function* () {
        const table: ReadonlyArray<readonly [datatype: string, element: string, shown: string, expects: string]> = [
          ["UINT8", "256", "256", "a whole number from 0 to 255"],
          ["INT32", "0.5", "0.5", "a whole number from -2147483648 to 2147483647"],
          [
            "INT64",
            "9223372036854775808",
            "9223372036854775808",
            "a whole number from -9223372036854775808 to 9223372036854775807"
          ],
          ["UINT64", "-1", "-1", "a whole number from 0 to 18446744073709551615"],
          ["BOOL", "2", "2", "true or false"]
        ]
        for (const [datatype, element, shown, expects] of table) {
          const body = `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1],"data":[${element}]}]}`
          const error = `the input "x" is ${datatype}: each element is ${expects}; element 0 is ${shown}; correct it`
          assert.deepStrictEqual((yield* call(infer, body)).body, { error })
        }
      })
    )

    it.effect("refuses sizes that the model says are equal and are not", () =>
      Effect.gen(function* () {
        const kinds = ["FP32", "FP64", "INT32", "INT64", "BOOL", "UINT8"]
        const inputs = kinds.map((kind, index) => tensor(kind, kind, [index < 5 ? 1 : 2], index < 5 ? [1] : [1, 1]))
        const answer = yield* call("/v2/models/identity/infer", { inputs })
        assert.deepStrictEqual(
          [answer.status, answer.body.error],
          [400, 'the inputs\' dimension "n" is one size in the model; 1 and 2 came; send equal sizes']
        )
      })
    )

    it.effect("keeps the runtime's own words to itself", () =>
      Effect.gen(function* () {
        const three = { inputs: [tensor("x", "FP32", [3], [1, 2, 3])] }
        const answer = yield* call("/v2/models/reshape/infer", three)
        assert.deepStrictEqual(
          [answer.status, answer.body.error],
          [
            422,
            'the model "reshape" could not compute this input; check that the sizes its metadata leaves open (-1) fit each other, or see the server\'s log'
          ]
        )
        const four = { inputs: [tensor("x", "FP32", [4], [1, 2, 3, 4])] }
        assert.strictEqual((yield* call("/v2/models/reshape/infer", four)).status, 200)
      })
    )
  }
)

layer(InferenceServer.layer({ repository: fixtures, port: 0, limits: { bodyBytes: 1000 } }), live)(
  "a body's limit",
  (it) => {
    const error = "the body is over the limit of 1000 bytes; send fewer examples in one request"

    it.effect("holds where the length is told, and where it is not", () =>
      Effect.gen(function* () {
        const long = JSON.stringify({ pad: "x".repeat(2000), ...x([1, 2], [1, 2]) })
        const told = yield* call(infer, long)
        assert.deepStrictEqual([told.status, told.body], [413, { error }])
        const chunked = yield* call(infer, undefined, {
          method: "POST",
          body: new Blob([long]).stream(),
          duplex: "half"
        } as RequestInit)
        assert.deepStrictEqual([chunked.status, chunked.body], [413, { error }])
        assert.strictEqual((yield* call(infer, x([1, 2], [1, 2]))).status, 200)
      })
    )

    it.effect("is told before a body of 99999999999 bytes is sent", () =>
      Effect.gen(function* () {
        const { url } = yield* InferenceServer.InferenceServer
        const status = yield* Effect.callback<number | undefined>((resume) => {
          const headers = { "Content-Length": "99999999999" }
          const request = httpRequest(`${url}${infer}`, { method: "POST", headers }, (response) => {
            resume(Effect.succeed(response.statusCode))
            request.destroy()
          })
          request.on("error", () => undefined)
          request.write("{")
        })
        assert.strictEqual(status, 413)
      })
    )
  }
)

it.live("says at its start what it serves, and of a model with several versions which", () => {
  const lines: Array<unknown> = []
  const logger = Logger.make(({ message }) => void lines.push(...(message as ReadonlyArray<unknown>)))
  return Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "all/config.json", '{"version_policy": {"all": {}}}')
    for (const version of [1, 2]) Folder.put(folder, `all/${version}/model.onnx`, { model: "sigmoid" })
    Folder.put(folder, "one/1/model.onnx", { model: "sigmoid" })
    const server = InferenceServer.layer({ repository: folder, port: 0, executionProviders: ["cpu"] })
    yield* Layer.build(server)
    const start = lines.map(String).filter((line) => line.startsWith("serving "))
    assert.lengthOf(start, 1)
    const [, list = ""] = /^serving 2 models at http:\S+: (.*)$/.exec(start[0]!) ?? []
    assert.deepStrictEqual(list.split(", ").sort(), ["all 1 (cpu)", "all 2 (cpu)", "one (cpu)"])
  }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
})

/** Makes a request with data nested `depth` deep and a shape given as text. */
const deep = (shape: string, depth: number): string =>
  `{"inputs":[{"name":"x","datatype":"FP32","shape":${shape},"data":${"[".repeat(depth)}1${"]".repeat(depth)}}]}`

/** Spells a number for JSON; infinities and NaN are strings. */
const spell = (value: number): number | string => (Number.isFinite(value) ? value : String(value))

/** Rounds the numbers of a JSON answer to float32, since float32 elements are written as doubles. */
const numbers = (data: string): string =>
  `"data":[${data
    .slice(8, -1)
    .split(",")
    .map((text) => (text.startsWith('"') ? text : Math.fround(Number(text))))
    .join(",")}]`
