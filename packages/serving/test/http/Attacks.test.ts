import { connect } from "node:net"
import { gzipSync } from "node:zlib"
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted, Schedule } from "effect"
import * as InferenceServer from "../../src/InferenceServer.ts"
import { ask, models, raw, speak } from "./Ask.ts"

const live = { excludeTestServices: true }
const MiB = 1024 * 1024
const path = "/v2/models/custom_identity_int32/infer"
const tensor = (rest: object) => ({
  inputs: [{ name: "INPUT0", datatype: "INT32", shape: [1, 1], data: [1], ...rest }]
})
const post = (body: string | Uint8Array, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers,
  body
})
const head = (...lines: ReadonlyArray<string>) => `POST ${path} HTTP/1.1\r\nhost: a\r\n${lines.join("\r\n")}\r\n\r\n`
const fine = ask(path, post(JSON.stringify(tensor({}))))
/** Matches once a response's head is complete. */
const headed = /\r\n\r\n/
const ends = (said: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1] ?? 0)

const serve = (limits: InferenceServer.Options["limits"] = {}, rest: Partial<InferenceServer.Options> = {}) =>
  InferenceServer.layer({ repository: models, port: 0, executionProviders: ["cpu"], limits, ...rest })

layer(serve(), live)("attacks", (it) => {
  const refused = (name: string, status: number, init: RequestInit, error: RegExp) =>
    it.effect(name, () =>
      Effect.gen(function* () {
        const before = process.memoryUsage.rss()
        const reply = yield* ask(path, init)
        assert.deepStrictEqual(
          [reply.status, error.test(String(reply.json().error))],
          [status, true],
          reply.json().error as string
        )
        assert.isBelow(process.memoryUsage.rss() - before, 1500 * MiB)
        assert.strictEqual((yield* fine).status, 200)
      })
    )
  const json = (value: unknown) => post(JSON.stringify(value))

  refused(
    "an element count that overflows 64 bits",
    400,
    json(tensor({ shape: [16, 2 ** 60 + 256] })),
    /whole numbers from 0 to 2\^53/
  )
  refused(
    "an element count that overflows 32 bits",
    400,
    json(tensor({ shape: [65_536, 65_536] })),
    /needs 4294967296 elements/
  )
  refused(
    "an element count that overflows, raw",
    400,
    raw(
      tensor({ shape: [16, 1_152_921_504_606_847], data: undefined, parameters: { binary_data_size: 4 } }),
      new Uint8Array(4)
    ),
    /holds 4 bytes where its shape has/
  )
  refused("negative sizes", 400, json(tensor({ shape: [-1, -1] })), /whole numbers from 0/)
  refused(
    "a header length that is none",
    400,
    post("{}", { "inference-header-content-length": "99999999999" }),
    /^Inference-Header/
  )
  refused("JSON nested without end", 400, post(`{"a":${"[".repeat(10 * MiB)}`), /nest 100 deep/)
  refused("objects nested without end", 400, post('{"a":'.repeat(MiB)), /nest 100 deep/)
  refused("JSON of nothing but arrays", 400, post(`[${"[],".repeat(8 * MiB)}[]]`), /may hold 1000000 arrays/)
  refused(
    "a bomb of gzip",
    413,
    post(gzipSync(Buffer.alloc(300 * MiB)), { "content-encoding": "gzip" }),
    /over the limit of 67108864 bytes/
  )
  refused(
    "a bomb of gzip in gzip",
    400,
    post(gzipSync(gzipSync(Buffer.alloc(300 * MiB))), { "content-encoding": "gzip" }),
    /not UTF-8|not JSON/
  )
  refused(
    "many elements and one long integer",
    400,
    post(
      `{"inputs":[{"name":"INPUT0","datatype":"INT64","shape":[1,1],"data":[${"1,".repeat(7 * MiB)}12345678901234567890]}]}`
    ),
    /needs 1 elements/
  )
  refused(
    "texts that count their bytes wrongly",
    400,
    raw(
      tensor({ datatype: "BYTES", data: undefined, parameters: { binary_data_size: 4 } }),
      Uint8Array.of(255, 255, 255, 255)
    ),
    /ends within element 0/
  )
  refused(
    "texts of what stands for NUL in the runtime",
    400,
    raw(
      tensor({ datatype: "BYTES", data: undefined, parameters: { binary_data_size: 7 } }),
      Uint8Array.of(3, 0, 0, 0, 0xef, 0xbf, 0xbf)
    ),
    /holds U\+FFFF, which is no character, in element 0/
  )

  it.effect("names that lead out of the repository", () =>
    Effect.gen(function* () {
      for (const name of [
        "..%2f..%2f..%2fetc%2fpasswd",
        "%252e%252e",
        "..%5c..",
        "a%00b",
        "%c0%ae%c0%ae",
        "x".repeat(8000)
      ]) {
        for (const rest of ["", "/ready", "/config", "/stats", "/versions/1", "/infer"]) {
          const init = rest === "/infer" ? post("{}") : {}
          const { status, bytes } = yield* ask(`/v2/models/${name}${rest}`, init)
          assert.strictEqual(status, 404)
          assert.notMatch(Buffer.from(bytes).toString(), /node_modules|\/work|\/home|\/tmp|\.ts:/)
        }
      }
    })
  )

  it.effect("loading and unloading without a token", () =>
    Effect.gen(function* () {
      const huge = JSON.stringify({ parameters: { config: "{}", "file:1/model.onnx": "A".repeat(4 * MiB) } })
      for (const action of ["load", "unload"]) {
        const reply = yield* ask(`/v2/repository/models/image/${action}`, post(huge))
        assert.deepStrictEqual(
          [reply.status, reply.json().error],
          [403, "loading and unloading are closed on this server; start it with an admin token to open them"]
        )
      }
      assert.strictEqual((yield* ask("/v2/models/image/ready")).status, 200)
    })
  )

  it.effect("chunks without end", () =>
    Effect.gen(function* () {
      const { url } = yield* InferenceServer.InferenceServer
      const before = process.memoryUsage.rss()
      const said = yield* Effect.callback<string>((resume) => {
        const { hostname, port } = new URL(url)
        const socket = connect(Number(port), hostname)
        const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(MiB, 0x20), Buffer.from("\r\n")])
        let text = ""
        let open = true
        socket.on("data", (data) => {
          text += data.toString()
        })
        socket.on("error", () => undefined)
        socket.on("close", () => {
          open = false
          resume(Effect.succeed(text))
        })
        const on = () => {
          while (open && socket.write(chunk));
          if (open) socket.once("drain", on)
        }
        socket.write(head("transfer-encoding: chunked"))
        on()
      })
      assert.strictEqual(ends(said), 413)
      assert.isBelow(process.memoryUsage.rss() - before, 600 * MiB)
    })
  )

  it.effect("what is no HTTP, or two requests in one", () =>
    Effect.gen(function* () {
      const length = "content-length: 4"
      const table: ReadonlyArray<readonly [text: string, status: number]> = [
        ["\u0016\u0003\u0001\u0002\u0000\u0001", 400],
        [head(length, "transfer-encoding: chunked"), 400],
        [head(length, "content-length: 5"), 400],
        [head("transfer-encoding: chunked, identity"), 400],
        [head("content-length: -1"), 400],
        [head("content-length: 1e9"), 400],
        [head("bad header: a", length), 400],
        [`${head("transfer-encoding: chunked")}zz\r\n`, 400],
        [`${head("transfer-encoding: chunked")}1;${"e".repeat(40_000)}\r\n`, 413],
        [head(`a: ${"x".repeat(20_000)}`), 431],
        [head("expect: nothing", length), 417]
      ]
      for (const [text, status] of table) {
        assert.deepStrictEqual([text.slice(0, 80), ends(yield* speak(text, headed))], [text.slice(0, 80), status])
      }
      assert.strictEqual((yield* fine).status, 200)
    })
  )

  it.effect("a verb that is none", () =>
    Effect.gen(function* () {
      for (const verb of ["TRACE", "PROPFIND", "CONNECT"]) {
        const said = yield* speak(`${verb} /v2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`, headed)
        assert.include([405, 0], ends(said)) // node closes a CONNECT that nobody takes
      }
    })
  )

  it.effect("a client that waits to be told to go on", () =>
    Effect.gen(function* () {
      const said = yield* speak(head("expect: 100-continue", "content-length: 99999999999"), headed)
      assert.strictEqual(ends(said), 413)
      const told = yield* speak(head("expect: 100-continue", "content-length: 10"), headed)
      assert.strictEqual(ends(told), 100)
    })
  )
})

layer(serve({}, { access: { all: Redacted.make("reader") } }), live)("a token", (it) => {
  const get = (...lines: ReadonlyArray<string>) =>
    speak(
      `GET /v2/models/stats HTTP/1.1\r\nhost: a\r\nconnection: close, upgrade\r\n${lines.join("\r\n")}\r\n\r\n`,
      headed
    )

  it.effect("is wanted of who asks for another protocol, too", () =>
    Effect.gen(function* () {
      for (const protocol of ["h2c", "websocket", "nothing"]) {
        assert.strictEqual(ends(yield* get(`upgrade: ${protocol}`)), 401, protocol)
        assert.strictEqual(ends(yield* get(`upgrade: ${protocol}`, "authorization: Bearer reader")), 200, protocol)
      }
    })
  )
})

layer(serve(), live)("requests in other words", (it) => {
  const body = JSON.stringify(tensor({}))
  const length = `content-length: ${body.length}`

  it.effect("that offer another protocol, as Java's client does, are answered in this one", () =>
    Effect.gen(function* () {
      const offer = ["connection: close, upgrade, http2-settings", "upgrade: h2c", "http2-settings: AAEAAEAAAAIAAAAB"]
      assert.match(yield* speak(head(...offer, length) + body), /^HTTP\/1\.1 200 [\s\S]*"data":\[1\]/)
    })
  )

  it.effect("whose target is a whole URL", () =>
    Effect.gen(function* () {
      const whole = (line: string) =>
        speak(`${line} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${length}\r\n\r\n${body}`)
      assert.match(yield* whole(`POST http://a${path}`), /^HTTP\/1\.1 200 [\s\S]*"data":\[1\]/)
      for (const target of ["HTTP://a:80/v2/health/live", "http://a/v2/health/live?x=http://b/"]) {
        assert.match(yield* whole(`GET ${target}`), /^HTTP\/1\.1 200 [\s\S]*"live":true/)
      }
      assert.match(yield* whole("GET http://a"), /^HTTP\/1\.1 200 /)
    })
  )
})

layer(serve({ headersMillis: 300, requestMillis: 600, idleMillis: 300 }), live)("slow clients", (it) => {
  it.effect("are cut off, wherever they stop", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.all(
        [
          speak("POST /v2 HT"),
          speak(head("content-length: 10")),
          speak(`${head("transfer-encoding: chunked")}5\r\nabc`)
        ],
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(answers.map(ends), [408, 408, 408])
      // Silent between two requests: closed without a word.
      const twice = yield* speak("GET /v2/health/live HTTP/1.1\r\nhost: a\r\n\r\n")
      assert.strictEqual(ends(twice), 200)
    })
  )
})

/** A client that sends some 23 MB and, once they are answered, does not read the equally large answer. */
const unread = Effect.gen(function* () {
  const { url } = yield* InferenceServer.InferenceServer
  const { hostname, port } = new URL(url)
  const many = Array.from({ length: 2 ** 21 }, () => 1_000_000_000)
  const body = JSON.stringify(tensor({ shape: [1, many.length], data: many }))
  const socket = connect(Number(port), hostname).on("error", () => undefined)
  const closed = new Promise((resolve) => socket.on("close", resolve))
  socket.write(head(`content-length: ${body.length}`) + body)
  socket.pause()
  const answered = Effect.map(
    ask("/v2/models/custom_identity_int32/stats"),
    ({ json }) => !JSON.stringify(json()).includes('"inference_count":0')
  )
  while (!(yield* answered)) yield* Effect.sleep("50 millis")
  /** Reads what is left until the connection ends; returns its number of bytes. */
  const rest = Effect.promise(async () => {
    let read = 0
    socket.on("data", ({ length }) => {
      read += length
    })
    socket.resume()
    await closed
    return read
  })
  return { body, rest }
})

layer(serve({ idleMillis: 300 }), live)("clients that send and do not read", (it) => {
  it.effect("are let go", () =>
    Effect.gen(function* () {
      const { body, rest } = yield* unread
      // Ten times what it may take without a word.
      yield* Effect.sleep("3 seconds")
      // What the kernels had of it, and no end.
      assert.isBelow(yield* rest, body.length - 1000)
    })
  )
})

layer(serve({ heldBytes: 30 * MiB }), live)("clients that do not read, where there is no room", (it) => {
  it.effect("give way to others", () =>
    Effect.gen(function* () {
      const { body, rest } = yield* unread
      assert.strictEqual((yield* ask(path, post(body))).status, 200)
      assert.isBelow(yield* rest, body.length - 1000)
    })
  )
})

layer(serve({ heldBytes: 64 * MiB }), live)("bombs of gzip, many at once", (it) => {
  it.effect("grow as far as there is room", () =>
    Effect.gen(function* () {
      const bomb = post(gzipSync(Buffer.alloc(60 * MiB)), { "content-encoding": "gzip" })
      const before = process.memoryUsage.rss()
      let most = before
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage.rss())
      }, 20)
      const replies = yield* Effect.all(
        Array.from({ length: 40 }, () => ask(path, bomb)),
        { concurrency: "unbounded" }
      )
      clearInterval(watch)
      assert.include(
        replies.map(({ status }) => status),
        503
      )
      assert.isBelow(most - before, 600 * MiB)
      assert.strictEqual((yield* fine).status, 200)
      // Their memory is given back.
      const large = post(gzipSync(Buffer.alloc(60 * MiB, 0x20)), { "content-encoding": "gzip" })
      assert.strictEqual((yield* ask(path, large)).status, 400)
    })
  )
})

layer(serve({ connections: 20 }), live)("connections", (it) => {
  it.effect("are no more than may be", () =>
    Effect.gen(function* () {
      const { url } = yield* InferenceServer.InferenceServer
      const { hostname, port } = new URL(url)
      const sockets = Array.from({ length: 60 }, () => connect(Number(port), hostname).on("error", () => undefined))
      const open = () => sockets.filter(({ readyState }) => readyState === "open").length
      const settled = () => open() <= 20 && sockets.every(({ connecting }) => !connecting)
      while (!settled()) yield* Effect.sleep("50 millis")
      assert.isAtLeast(open(), 15)
      for (const socket of sockets) socket.destroy()
      // Until the server has seen that they are gone, it closes a connection without a word.
      const again = fine.pipe(
        Effect.catchDefect(() => Effect.fail("closed")),
        Effect.retry(Schedule.spaced("50 millis"))
      )
      assert.strictEqual((yield* again).status, 200)
    })
  )
})
