import { request as httpRequest } from "node:http"
import { deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib"
import { assert, it, layer } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import * as OpenApi from "../../src/http/OpenApi.ts"
import * as InferenceServer from "../../src/InferenceServer.ts"
import { fixtures } from "../Client.ts"
import { ask, models, raw, split } from "./Ask.ts"

const live = { excludeTestServices: true }
const serve = (options: Partial<InferenceServer.Options> = {}) =>
  InferenceServer.layer({ repository: models, port: 0, executionProviders: ["cpu"], ...options })
const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers,
  body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body)
})

const le = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
const texts = (...all: ReadonlyArray<string>) =>
  Buffer.concat(
    all.map((text) => {
      const bytes = Buffer.from(text)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(bytes.length)
      return Buffer.concat([length, bytes])
    })
  )

// A tensor of three elements for each datatype, as little-endian bytes.
const tensors: ReadonlyArray<readonly [datatype: string, bytes: Uint8Array]> = [
  ["BOOL", Uint8Array.of(1, 0, 1)],
  ["UINT8", Uint8Array.of(0, 128, 255)],
  ["UINT16", le(Uint16Array.of(0, 1, 65_535))],
  ["UINT32", le(Uint32Array.of(0, 1, 4_294_967_295))],
  ["UINT64", le(BigUint64Array.of(0n, 1n, 2n ** 64n - 1n))],
  ["INT8", le(Int8Array.of(-128, 0, 127))],
  ["INT16", le(Int16Array.of(-32_768, 0, 32_767))],
  ["INT32", le(Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1))],
  ["INT64", le(BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n))],
  ["FP16", le(Uint16Array.of(0x3c00, 0xc000, 0x7bff))], // 1, -2, 65504
  ["FP32", le(Float32Array.of(0.1, -0, Number.POSITIVE_INFINITY))],
  ["FP64", le(Float64Array.of(0.1, Number.NaN, -1e300))],
  ["BYTES", texts("", "ü\0", "\u{1f600}")]
]
const described = tensors.map(([name, { length }]) => ({
  name,
  datatype: name,
  shape: [3],
  parameters: { binary_data_size: length }
}))
const bytes = tensors.map(([, tensor]) => tensor)

const image = (red: number, green: number, blue: number) =>
  Float32Array.from([red, green, blue].flatMap((value) => Array(64).fill(value)))
const pixels = (...images: ReadonlyArray<Float32Array>) => ({
  name: "pixels",
  datatype: "FP32",
  shape: [images.length, 3, 8, 8],
  data: images.flatMap((each) => [...each])
})
const integers = (...data: ReadonlyArray<number>) => ({
  name: "INPUT0",
  datatype: "INT32",
  shape: [1, data.length],
  data
})
const identity = "/v2/models/custom_identity_int32/infer"

layer(serve(), live)("binary tensor data", (it) => {
  it.effect("goes through unchanged in every datatype, both ways", () =>
    Effect.gen(function* () {
      const reply = yield* ask(
        "/v2/models/kinds/infer",
        raw({ id: "a", parameters: { binary_data_output: true }, inputs: described }, ...bytes)
      )
      assert.strictEqual(reply.headers.get("content-type"), "application/octet-stream")
      const { json, tail } = split(reply)
      assert.deepStrictEqual(json, {
        model_name: "kinds",
        model_version: "1",
        id: "a",
        outputs: described.map((spec) => ({ ...spec, name: `${spec.name}_out` }))
      })
      assert.deepStrictEqual(Buffer.from(tail), Buffer.concat(bytes))
    })
  )

  it.effect("stands beside JSON, input by input and output by output", () =>
    Effect.gen(function* () {
      const inputs = described.map((spec) =>
        spec.name === "BYTES" ? { ...spec, parameters: undefined, data: ["", "ü\0", "\u{1f600}"] } : spec
      )
      const body = {
        inputs,
        outputs: [{ name: "BYTES_out" }, { name: "INT16_out", parameters: { binary_data: true } }]
      }
      const { json, tail } = split(yield* ask("/v2/models/kinds/infer", raw(body, ...bytes.slice(0, -1))))
      assert.deepStrictEqual(json.outputs, [
        { name: "BYTES_out", datatype: "BYTES", shape: [3], data: ["", "ü\0", "\u{1f600}"] },
        { name: "INT16_out", datatype: "INT16", shape: [3], parameters: { binary_data_size: 6 } }
      ])
      assert.deepStrictEqual(tail, bytes[6])
    })
  )

  it.effect("goes with names that hold half of a character, which come back as they were and as UTF-8", () =>
    Effect.gen(function* () {
      const utf8 = new TextDecoder("utf-8", { fatal: true })
      const half = "a\ud800"
      const fine = yield* ask(identity, post({ id: half, inputs: [integers(1)] }))
      assert.deepStrictEqual([fine.status, JSON.parse(utf8.decode(fine.bytes)).id], [200, half])
      const input = { ...integers(1), name: half }
      const wrong = [
        { inputs: [input] },
        { inputs: [integers(1)], outputs: [{ name: half }] },
        { inputs: [{ ...input, parameters: { [half]: [] } }] },
        { inputs: [{ ...integers(1), datatype: half }] }
      ]
      for (const body of wrong) {
        const reply = yield* ask(identity, post(body))
        assert.strictEqual(reply.status, 400)
        assert.include(JSON.parse(utf8.decode(reply.bytes)).error, "a\\ud800")
      }
    })
  )

  it.effect("is read where it is not aligned", () =>
    Effect.gen(function* () {
      const numbers = le(Int32Array.of(1, -2, 3))
      for (const id of ["", "a", "ab", "abc"]) {
        const inputs = [{ ...integers(), shape: [1, 3], data: undefined, parameters: { binary_data_size: 12 } }]
        const reply = yield* ask(identity, raw({ id, inputs }, numbers))
        assert.deepStrictEqual((reply.json().outputs as ReadonlyArray<{ data: unknown }>)[0]?.data, [1, -2, 3])
      }
    })
  )

  it.effect("may be the whole body, where the model has one input with one open size", () =>
    Effect.gen(function* () {
      const whole = { "Inference-Header-Content-Length": "0" }
      const body = Buffer.concat([le(image(1, 2, 3)), le(image(0, 0, 4))])
      const { json, tail } = split(yield* ask("/v2/models/image/infer", post(body, whole)))
      assert.deepStrictEqual(json.outputs, [
        { name: "scores", datatype: "FP32", shape: [2, 5], parameters: { binary_data_size: 40 } }
      ])
      const scores = new Float32Array(new Uint8Array(tail).buffer)
      assert.deepStrictEqual([...scores], [1, 2, 3, -6, 1.375, 0, 0, 4, -4, 0.5])
      const table: ReadonlyArray<readonly [model: string, body: Uint8Array, error: string]> = [
        [
          "image",
          body.subarray(1),
          'the input "pixels" of shape [-1, 3, 8, 8] is FP32; 1535 bytes came, which are no whole number of examples; correct it'
        ],
        [
          "custom_identity_int32",
          body,
          'the input "INPUT0" of shape [-1, -1] leaves more than one size open, which raw bytes do not tell; send its shape as JSON'
        ],
        [
          "simple",
          body,
          "Inference-Header-Content-Length 0 says that the body is the model's one input; this model has another number of them; send the JSON's length and the JSON"
        ]
      ]
      for (const [model, bytes, error] of table) {
        const reply = yield* ask(`/v2/models/${model}/infer`, post(bytes, whole))
        assert.deepStrictEqual([reply.status, reply.json()], [400, { error }])
      }
    })
  )

  it.effect("is refused where it is not what the JSON says", () =>
    Effect.gen(function* () {
      const one = (parameters: unknown, rest: object = {}) => ({
        inputs: [{ name: "INPUT0", datatype: "INT32", shape: [1, 2], parameters, ...rest }]
      })
      const left = (size: number, left: number) =>
        `the input "INPUT0" has ${size} bytes of binary data by its "binary_data_size"; ${left} are left in the body behind the JSON; send them all, and the JSON's length in the header Inference-Header-Content-Length`
      const size =
        'the input "INPUT0" has the parameter "binary_data_size", which must be a whole number of bytes; correct it'
      const table: ReadonlyArray<readonly [init: RequestInit, error: string]> = [
        [raw(one({ binary_data_size: 8 }), new Uint8Array(7)), left(8, 7)],
        [post(one({ binary_data_size: 8 })), left(8, 0)],
        [raw(one({ binary_data_size: -8 }), new Uint8Array(8)), size],
        [raw(one({ binary_data_size: "8" }), new Uint8Array(8)), size],
        [
          raw(one({ binary_data_size: 8 }), new Uint8Array(9)),
          'the inputs take 8 bytes of binary data; 9 came behind the JSON; say each input\'s "binary_data_size"'
        ],
        [
          raw(one({ binary_data_size: 7 }), new Uint8Array(7)),
          'the binary data of the input "INPUT0" holds 7 bytes where its shape has 8; correct it'
        ],
        [
          raw(one({ binary_data_size: 8 }, { data: [1, 2] }), new Uint8Array(8)),
          'the input "INPUT0" has both "data" and "binary_data_size"; send one of them'
        ],
        [
          raw(one({ binary_data_size: 8 }, { shape: [2 ** 30, 2 ** 34] }), new Uint8Array(8)),
          'the binary data of the input "INPUT0" holds 8 bytes where its shape has 73786976294838210000; correct it'
        ]
      ]
      for (const [init, error] of table) {
        const reply = yield* ask(identity, init)
        assert.deepStrictEqual([reply.status, reply.json()], [400, { error }])
      }
      for (const length of ["99999999999", "-1", "1e1", "0x10", " ", "9".repeat(400)]) {
        const reply = yield* ask(identity, post("{}", { "Inference-Header-Content-Length": length }))
        assert.strictEqual(reply.status, 400)
        assert.match(
          String(reply.json().error),
          /^Inference-Header-Content-Length must be the length of the JSON, from 0/
        )
      }
    })
  )

  it.effect("is the only form of FP16", () =>
    Effect.gen(function* () {
      const body = { inputs: described, outputs: [{ name: "FP16_out" }] }
      const reply = yield* ask("/v2/models/kinds/infer", raw(body, ...bytes))
      const error =
        'the output "FP16_out" is FP16, which JSON has no form for; ask for it with the parameter "binary_data": true'
      assert.deepStrictEqual([reply.status, reply.json()], [400, { error }])
    })
  )
})

layer(serve(), live)("classification", (it) => {
  const classes = (classification: unknown, binary = false) => ({
    inputs: [pixels(image(1, 2, 3), image(5, 0, 0))],
    outputs: [{ name: "scores", parameters: { classification, binary_data: binary } }]
  })
  const best = ["3.000000:2", "2.000000:1", "5.000000:0", "2.500000:4"]

  it.effect("gives the largest of each example with their places", () =>
    Effect.gen(function* () {
      const reply = yield* ask("/v2/models/image/infer", post(classes(2)))
      assert.deepStrictEqual(reply.json().outputs, [{ name: "scores", datatype: "BYTES", shape: [2, 2], data: best }])
      const { json, tail } = split(yield* ask("/v2/models/image/infer", post(classes(2, true))))
      assert.deepStrictEqual(json.outputs, [
        { name: "scores", datatype: "BYTES", shape: [2, 2], parameters: { binary_data_size: 56 } }
      ])
      assert.deepStrictEqual(Buffer.from(tail), texts(...best))
    })
  )

  it.effect("gives no more than there are, and refuses what has no order", () =>
    Effect.gen(function* () {
      const [output] = (yield* ask("/v2/models/image/infer", post(classes(99)))).json().outputs as ReadonlyArray<{
        shape: unknown
      }>
      assert.deepStrictEqual(output?.shape, [2, 5])
      const text = { name: "INPUT0", datatype: "BYTES", shape: [1, 1], data: ["a"] }
      const outputs = [{ name: "OUTPUT0", parameters: { classification: 1 } }]
      const reply = yield* ask("/v2/models/simple_identity/infer", post({ inputs: [text], outputs }))
      const error = 'the output "OUTPUT0" is BYTES, which cannot be put in order; ask for it without "classification"'
      assert.deepStrictEqual([reply.status, reply.json()], [400, { error }])
      const wrong = yield* ask("/v2/models/image/infer", post(classes(-1)))
      assert.deepStrictEqual(wrong.json(), {
        error: 'the parameter "classification" of the output "scores" must be a whole number of classes; correct it'
      })
    })
  )
})

layer(serve({ limits: { decompressedBytes: 100_000 } }), live)("encodings", (it) => {
  const body = JSON.stringify({ inputs: [integers(...Array(1000).keys())] })

  it.effect("are undone and applied", () =>
    Effect.gen(function* () {
      const plain = yield* ask(identity, { ...post(body), headers: { "accept-encoding": "identity" } })
      for (const [coding, apply] of [
        ["gzip", gzipSync],
        ["deflate", deflateSync]
      ] as const) {
        const reply = yield* ask(identity, post(apply(body), { "content-encoding": coding }))
        assert.deepStrictEqual(reply.bytes, plain.bytes)
      }
      for (const [accept, coding, undo] of [
        ["gzip", "gzip", gunzipSync],
        ["deflate;q=0.5, gzip;q=0", "deflate", inflateSync],
        ["br, *", "gzip", gunzipSync],
        ["br", undefined, (bytes: Buffer) => bytes],
        ["gzip;q=0.0", undefined, (bytes: Buffer) => bytes]
      ] as const) {
        const { headers, bytes } = yield* bare(identity, body, accept)
        assert.deepStrictEqual([accept, headers["content-encoding"]], [accept, coding])
        assert.deepStrictEqual(undo(bytes), Buffer.from(plain.bytes))
      }
      const document = yield* bare("/openapi.json", undefined, "gzip")
      assert.strictEqual(document.headers["content-encoding"], "gzip")
      assert.deepStrictEqual(
        JSON.parse(gunzipSync(document.bytes).toString()),
        JSON.parse(JSON.stringify(OpenApi.document))
      )
    })
  )

  it.effect("are bounded, and refused where they are not what they say", () =>
    Effect.gen(function* () {
      const bomb = yield* ask(identity, post(gzipSync(Buffer.alloc(50_000_000, 0x20)), { "content-encoding": "gzip" }))
      assert.deepStrictEqual(
        [bomb.status, bomb.json()],
        [413, { error: "the body is over the limit of 100000 bytes; send fewer examples in one request" }]
      )
      const broken = yield* ask(identity, post(body, { "content-encoding": "gzip" }))
      assert.deepStrictEqual(
        [broken.status, broken.json()],
        [400, { error: "the body is not gzip, as its Content-Encoding says; send it again, or without" }]
      )
      for (const coding of ["br", "gzip, gzip"]) {
        const unknown = yield* ask(identity, post(body, { "content-encoding": coding }))
        assert.deepStrictEqual([unknown.status, unknown.headers.get("accept-encoding")], [415, "gzip, deflate"])
      }
    })
  )
})

layer(InferenceServer.layer({ repository: fixtures, port: 0, executionProviders: ["cpu"] }), live)("time", (it) => {
  // The sine of the sine …, about a microsecond a turn.
  const slow = (turns: number, parameters: object = {}) => ({
    parameters,
    inputs: [
      { name: "n", datatype: "INT64", shape: [], data: [turns] },
      { name: "x", datatype: "FP32", shape: [1], data: [0.5] }
    ]
  })
  const loop = "/v2/models/loop/infer"
  const error =
    'the model "loop" did not answer in time; give it more, by the request or by its default_timeout_microseconds, or ask for less at once'
  const statistics = Effect.gen(function* () {
    const { model_stats } = (yield* ask("/v2/models/loop/stats")).json() as {
      model_stats: ReadonlyArray<{ queue: { expired: number; cancelled: number; waiting: number } }>
    }
    return model_stats[0]!.queue
  })

  it.effect("that a request gives is kept to, from a header in milliseconds or a parameter in microseconds", () =>
    Effect.gen(function* () {
      for (const init of [
        post(slow(300_000), { "x-request-timeout-ms": "20" }),
        post(slow(300_000, { timeout: 20_000 })),
        post(slow(300_000, { timeout: 60_000_000 }), { "x-request-timeout-ms": "20.5" })
      ]) {
        const reply = yield* ask(loop, init)
        assert.deepStrictEqual([reply.status, reply.json()], [504, { error }])
      }
      assert.strictEqual((yield* ask(loop, post(slow(1, { timeout: 0 })))).status, 200)
      const refused = [
        [
          post(slow(1), { "x-request-timeout-ms": "soon" }),
          "the header x-request-timeout-ms must be a number of milliseconds; correct it, or leave it out"
        ],
        [
          post(slow(1, { timeout: -1 })),
          'the parameter "timeout" must be a whole number of microseconds; correct it, or leave it out'
        ]
      ] as const
      for (const [init, error] of refused) {
        const reply = yield* ask(loop, init)
        assert.deepStrictEqual([reply.status, reply.json()], [400, { error }])
      }
    })
  )

  it.effect("of a client that went away is not spent", () =>
    Effect.gen(function* () {
      const { url } = yield* InferenceServer.InferenceServer
      const before = yield* statistics
      const until = Effect.fnUntraced(function* (holds: (now: Effect.Success<typeof statistics>) => boolean) {
        while (!holds(yield* statistics)) yield* Effect.sleep("5 millis")
      })
      const busy = yield* Effect.forkChild(ask(loop, post(slow(5_000_000))))
      yield* until(({ waiting }) => waiting === 0)
      const gone = new AbortController()
      const left = fetch(`${url}${loop}`, { ...post(slow(1)), signal: gone.signal }).catch(() => "left")
      yield* until(({ waiting }) => waiting === 1)
      gone.abort()
      assert.strictEqual(yield* Effect.promise(() => left), "left")
      yield* until(({ waiting }) => waiting === 0)
      assert.strictEqual((yield* statistics).cancelled, before.cancelled + 1)
      yield* Fiber.join(busy)
    })
  )
})

layer(serve({ access: { all: Redacted.make("reader"), admin: Redacted.make("keeper") } }), live)("tokens", (it) => {
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

  it.effect("open all routes, or those that change the server", () =>
    Effect.gen(function* () {
      const load = "/v2/repository/models/simple/load"
      const error = "this route wants a bearer token, and none or another came; send «authorization: Bearer …»"
      for (const path of [
        "/v2",
        "/v2/health",
        "/v2/health/live/",
        "/v2/models/simple/ready",
        "/docs",
        "/no/such/route"
      ]) {
        const reply = yield* ask(path)
        assert.deepStrictEqual([reply.status, reply.json()], [401, { error }])
        assert.match(reply.headers.get("www-authenticate") ?? "", /^Bearer/)
      }
      assert.strictEqual((yield* ask(identity, post({ inputs: [integers(1)] }))).status, 401)
      assert.strictEqual((yield* ask(load, { method: "POST" })).status, 401)
      for (const wrong of ["reade", "reader2", "Reader", ""])
        assert.strictEqual((yield* ask("/v2", bearer(wrong))).status, 401)
      assert.strictEqual((yield* ask("/v2", bearer("reader"))).status, 200)
      for (const [authorization, status] of [
        ["bearer reader", 200],
        ["BEARER  reader", 200],
        ["Bearer READER", 401],
        ["Bearerreader", 401],
        ["reader", 401],
        ["Basic reader", 401],
        ["Bearer Bearer reader", 401]
      ] as const) {
        assert.strictEqual((yield* ask("/v2", { headers: { authorization } })).status, status, authorization)
      }
      assert.strictEqual(
        (yield* ask(identity, { ...post({ inputs: [integers(1)] }), ...bearer("reader") })).status,
        200
      )
      assert.strictEqual((yield* ask(load, { method: "POST", ...bearer("reader") })).status, 401)
      // Other spellings of a path are not another way in.
      for (const path of ["//v2/repository/models/simple/load", "/v2/%72epository/models/simple/load", `${load}/`]) {
        assert.notStrictEqual((yield* ask(path, { method: "POST", ...bearer("reader") })).status, 200)
      }
      assert.strictEqual((yield* ask(load, { method: "POST", ...bearer("keeper") })).status, 200)
    })
  )
})

layer(serve({ access: { all: Redacted.make("reader") } }), live)("a prober without a token", (it) => {
  it.effect("is told of the server's health, and of no model", () =>
    Effect.gen(function* () {
      for (const path of ["/v2/health/live", "/v2/health/ready", "/v2/health/ready?verbose=1"]) {
        const { status, json } = yield* ask(path)
        const key = path.includes("live") ? "live" : "ready"
        assert.deepStrictEqual([status, json()], [200, { [key]: true }])
        assert.strictEqual((yield* ask(path, { method: "HEAD" })).status, 200)
      }
    })
  )
})

layer(serve({ cors: ["https://ours.example"] }), live)("pages of other origins", (it) => {
  it.effect("may ask where their origin is named, and no others", () =>
    Effect.gen(function* () {
      const preflight = { origin: "https://ours.example", "access-control-request-method": "POST" }
      const allowed = yield* ask(identity, { method: "OPTIONS", headers: preflight })
      assert.strictEqual(allowed.status, 204)
      for (const name of ["content-length", "transfer-encoding"]) assert.isNull(allowed.headers.get(name))
      assert.strictEqual(allowed.headers.get("access-control-allow-origin"), "https://ours.example")
      assert.match(allowed.headers.get("access-control-allow-headers") ?? "", /inference-header-content-length/)
      for (const path of ["/v2", identity]) {
        const init = path === "/v2" ? {} : post({ inputs: [integers(1)] })
        const ours = yield* ask(path, { ...init, headers: { origin: "https://ours.example" } })
        assert.deepStrictEqual(
          [ours.status, ours.headers.get("access-control-allow-origin")],
          [200, "https://ours.example"]
        )
        const others = yield* ask(path, { ...init, headers: { origin: "https://theirs.example" } })
        assert.strictEqual(others.headers.get("access-control-allow-origin"), null)
      }
    })
  )
})

layer(serve({ access: { admin: "open" } }), live)("Triton's extensions", (it) => {
  const act = (action: string, body?: unknown) =>
    ask(`/v2/repository/models/simple/${action}`, body === undefined ? { method: "POST" } : post(body))
  const index = Effect.fnUntraced(function* (ready: boolean) {
    const all = (yield* ask("/v2/repository/index", post({ ready }))).json() as unknown as ReadonlyArray<{
      name: string
    }>
    return all.map(({ name }) => name).sort()
  })
  const all = ["custom_identity_int32", "image", "kinds", "simple", "simple_identity", "simple_int8", "simple_string"]

  it.effect("list, load and unload", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* index(false), all)
      assert.strictEqual((yield* act("unload", { parameters: { unload_dependents: false } })).status, 200)
      assert.deepStrictEqual(
        yield* index(true),
        all.filter((name) => name !== "simple")
      )
      const infer = yield* ask("/v2/models/simple/infer", post({ inputs: [] }))
      assert.deepStrictEqual([infer.status, infer.headers.get("retry-after")], [503, "1"])
      const config = JSON.stringify({ max_batch_size: "16" })
      assert.strictEqual((yield* act("load", { parameters: { config } })).status, 200)
      assert.deepStrictEqual(yield* index(true), all)
      assert.strictEqual((yield* ask("/v2/models/simple/config")).json().max_batch_size, 16)
    })
  )

  it.effect("refuse what cannot be loaded, and serve on", () =>
    Effect.gen(function* () {
      const table: ReadonlyArray<readonly [body: unknown, error: RegExp]> = [
        [
          { parameters: { config: "{" } },
          /^failed to load the model "simple": failed to poll from model repository: its config/
        ],
        [{ parameters: { config: 7 } }, /^the parameter "config" must be a text; correct it$/],
        [{ parameters: { config: "{}", "file:1/model.onnx": "??" } }, /must be a file as base64; correct it$/],
        [{ parameters: { config: "{}", "file:1/model.onnx": "bm8=" } }, /^failed to load the model "simple": /],
        [{ parameters: { config: "{}", "file:../../etc/passwd": "bm8=" } }, /VERSION\/model\.onnx/],
        ["{", /^the body is not JSON/],
        [{ parameters: [] }, /^the body must be of the form/]
      ]
      for (const [body, error] of table) {
        const reply = yield* act("load", body)
        assert.strictEqual(reply.status, 400)
        assert.match(String(reply.json().error), error)
      }
      const unknown = yield* ask("/v2/repository/models/none/load", { method: "POST" })
      assert.deepStrictEqual(unknown.json(), {
        error:
          'failed to load the model "none": failed to poll from model repository: the repository has no model of this name'
      })
      const name = yield* ask("/v2/repository/models/a%0Ab/load", { method: "POST" })
      assert.strictEqual(name.status, 400)
      assert.match(
        String(name.json().error),
        /^failed to load the model "a\\nb": a model's name holds no control character/
      )
      assert.strictEqual((yield* ask("/v2/models/simple/ready")).status, 200)
    })
  )

  it.effect("tell a model's configuration, versions and statistics", () =>
    Effect.gen(function* () {
      const config = (yield* ask("/v2/models/image/versions/1/config")).json()
      assert.deepStrictEqual(config, {
        max_batch_size: 4,
        name: "image",
        platform: "onnxruntime_onnx",
        backend: "onnxruntime",
        input: [{ name: "pixels", data_type: "TYPE_FP32", dims: [3, 8, 8], format: "FORMAT_NONE" }],
        output: [{ name: "scores", data_type: "TYPE_FP32", dims: [5] }]
      })
      assert.deepStrictEqual((yield* ask("/v2/models/image/versions")).json(), { name: "image", versions: ["1"] })
      assert.strictEqual((yield* ask("/v2/models/image/infer", post({ inputs: [pixels(image(1, 2, 3))] }))).status, 200)
      const { model_stats } = (yield* ask("/v2/models/image/stats")).json() as {
        model_stats: ReadonlyArray<{ inference_count: number; inference_stats: { success: { count: number } } }>
      }
      assert.deepStrictEqual([model_stats[0]?.inference_count, model_stats[0]?.inference_stats.success.count], [1, 1])
      const every = (yield* ask("/v2/models/stats")).json() as { model_stats: ReadonlyArray<unknown> }
      assert.lengthOf(every.model_stats, all.length)
    })
  )

  it.effect("that are not here say so", () =>
    Effect.gen(function* () {
      for (const path of [
        "/v2/logging",
        "/v2/trace/setting",
        "/v2/models/image/trace/setting",
        "/v2/systemsharedmemory/status",
        "/v2/cudasharedmemory/region/a/register"
      ]) {
        const reply = yield* ask(path, { method: "POST" })
        assert.strictEqual(reply.status, 501)
        assert.match(String(reply.json().error), /^this server has no /)
      }
      const shared = { ...integers(), shape: [1, 1], data: undefined, parameters: { shared_memory_region: "a" } }
      assert.strictEqual((yield* ask(identity, post({ inputs: [shared] }))).status, 501)
    })
  )

  it.effect("and all other routes are those of the document, which names every status", () =>
    Effect.gen(function* () {
      for (const [path, verbs] of Object.entries(OpenApi.document.paths)) {
        for (const [verb, { responses }] of Object.entries(verbs)) {
          const target = path.replace("{model}", "simple").replace("{version}", "1")
          const reply = yield* ask(target, { method: verb.toUpperCase() })
          assert.property(responses, String(reply.status))
          if (reply.status === 404) assert.notMatch(String(reply.json().error), /no such route/)
          const wrong = yield* ask(target, { method: "DELETE" })
          assert.deepStrictEqual([wrong.status, wrong.headers.get("allow")], [405, verb.toUpperCase()])
        }
      }
      const page = Buffer.from((yield* ask("/docs")).bytes).toString()
      assert.include(page, "/v2/models/{model}/infer")
      assert.notMatch(page, /(?:src|href)="https?:/)
    })
  )
})

layer(serve({ limits: { heldBytes: 100_000, bodyBytes: 80_000 } }), live)("bodies that are held", (it) => {
  const body = (bytes: number) => JSON.stringify({ pad: "x".repeat(bytes), inputs: [integers(1)] })
  /** A client that sends `bytes` bytes of a body whose last byte never comes; `status` is the answer, 0 as long as there is none. */
  const slow = Effect.fnUntraced(function* (bytes: number, localAddress = "127.0.0.1") {
    const { url } = yield* InferenceServer.InferenceServer
    const headers = { "content-length": bytes + 1 }
    const client = { status: 0, leave: () => request.destroy() }
    const request = httpRequest(`${url}${identity}`, { method: "POST", headers, localAddress, agent: false })
    request.on("error", () => undefined)
    request.on("response", (response) => {
      client.status = response.resume().statusCode ?? 0
    })
    yield* Effect.promise(() => new Promise((sent) => request.write(Buffer.alloc(bytes, " "), sent)))
    return client
  })
  /** Sends requests, each of which must succeed, until one of the clients has had to give way. */
  const untilOneGivesWay = Effect.fnUntraced(function* (
    clients: ReadonlyArray<{ readonly status: number }>,
    bytes: number
  ) {
    while (clients.every(({ status }) => status === 0)) {
      assert.strictEqual((yield* ask(identity, post(body(bytes)))).status, 200)
    }
  })

  it.effect("half sent, give way to others' once there is no room, and are given back", () =>
    Effect.gen(function* () {
      const first = yield* slow(60_000)
      const second = yield* slow(39_990)
      yield* untilOneGivesWay([first, second], 100)
      assert.strictEqual(first.status, 503)
      for (let i = 0; i < 5; i++) assert.strictEqual((yield* ask(identity, post(body(50_000)))).status, 200)
      assert.strictEqual(second.status, 0)
      // Its own, where it holds most.
      const refused = yield* ask(identity, post(body(70_000)))
      assert.deepStrictEqual([refused.status, refused.headers.get("retry-after")], [503, "1"])
      second.leave()
    })
  )

  it.effect("are weighed by the address that they come from", () =>
    Effect.gen(function* () {
      const many = yield* Effect.replicateEffect(slow(9_999, "127.0.0.2"), 10)
      yield* untilOneGivesWay(many, 20_000)
      assert.sameMembers([...new Set(many.map(({ status }) => status))], [503, 0])
      for (const { leave } of many) leave()
    })
  )

  it.effect("are given back by who went away", () =>
    Effect.gen(function* () {
      const many = yield* Effect.replicateEffect(slow(20_000, "127.0.0.2"), 4)
      assert.strictEqual((yield* ask(identity, post(body(70_000)))).status, 503)
      for (const { leave } of many) leave()
      // Lighter than what they held, it would give way as long as they hold it.
      while ((yield* ask(identity, post(body(70_000)))).status !== 200) yield* Effect.sleep("5 millis")
    })
  )
})

it.live("takes a body that is one text, and refuses one where the model wants more", () =>
  Effect.gen(function* () {
    const whole = { "Inference-Header-Content-Length": "0" }
    const answers = yield* Effect.forEach(["texts", "couples"], (model) =>
      ask(`/v2/models/${model}/infer`, post("übung", whole)).pipe(
        Effect.provide(serve({ repository: `${fixtures}/more/${model}.onnx` }))
      )
    )
    const { json, tail } = split(answers[0]!)
    assert.deepStrictEqual([json.outputs[0].shape, tail], [[1], new Uint8Array(texts("übung"))])
    const error =
      'the input "x" of shape [-1, 2] holds more than one text, whose ends raw bytes do not tell; send its elements as JSON'
    assert.deepStrictEqual([answers[1]!.status, answers[1]!.json()], [400, { error }])
  })
)

it.live("says that a key is none", () =>
  Effect.gen(function* () {
    const failure = yield* Effect.flip(
      Effect.void.pipe(Effect.provide(serve({ tls: { key: "no", certificate: "neither" } })))
    )
    assert.strictEqual(failure._tag, "TlsInvalid")
    assert.match(failure.message, /^expected a key and a certificate as PEM that belong together, but OpenSSL says: /)
  })
)

/** Requests a path and returns the answer undecoded, unlike fetch. */
const bare = Effect.fnUntraced(function* (path: string, body: string | undefined, accept: string) {
  const { url } = yield* InferenceServer.InferenceServer
  return yield* Effect.callback<{ headers: Record<string, unknown>; bytes: Buffer }>((resume) => {
    const init = { method: body === undefined ? "GET" : "POST", headers: { "accept-encoding": accept } }
    const request = httpRequest(`${url}${path}`, init, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk) => chunks.push(chunk))
      response.on("end", () => resume(Effect.succeed({ headers: response.headers, bytes: Buffer.concat(chunks) })))
    })
    request.end(body)
  })
})
