import { connect as connectSocket } from "node:net"
import { deflateSync, gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted } from "effect"
import { GrpcTransport, type Options } from "../../src/grpc/GrpcTransport.ts"
import { until } from "../Until.ts"
import * as EchoPlane from "./EchoPlane.ts"
import * as Raw from "./Raw.ts"

const MiB = 1024 * 1024

const serve = Effect.fnUntraced(function* (options: Options = {}) {
  const seen = EchoPlane.make()
  const context = yield* Layer.build(
    GrpcTransport.layer({ port: 0, ...options }).pipe(Layer.provide(EchoPlane.layer(seen)))
  )
  const { address } = yield* Effect.provide(GrpcTransport, context)
  return { address, session: yield* Raw.connect(address), seen }
})

describe("a call that is none", () => {
  it.live("is refused with what is wrong", () =>
    Effect.gen(function* () {
      const { session } = yield* serve()
      const ask = (path: string, body: Uint8Array, headers = {}) =>
        Effect.suspend(() => {
          const call = Raw.begin(session, path, headers)
          call.end(body)
          return Raw.end(call)
        })
      const good = Raw.framed(Raw.message())
      const refused: ReadonlyArray<readonly [Effect.Effect<Raw.End>, status: string, message: string]> = [
        [
          ask("/inference.GRPCInferenceService/Nothing", good),
          "12",
          "this server has no such method; ask its reflection which it has"
        ],
        [ask(Raw.infer, Buffer.alloc(0)), "12", "this method takes one message; send exactly one"],
        [ask(Raw.infer, Buffer.concat([good, good])), "12", "this method takes one message; send exactly one"],
        [ask(Raw.infer, good.subarray(0, 20)), "3", "the stream ends within a message; send it whole"],
        [
          ask(Raw.infer, Raw.framed(Buffer.from([0xff, 0xff]))),
          "3",
          "the message is none of this method's; send it again as the service's description has it"
        ],
        [
          ask(Raw.infer, good, { "grpc-timeout": "soon" }),
          "3",
          "grpc-timeout must be up to 8 digits and one of H, M, S, m, u, n"
        ],
        [
          ask(Raw.infer, Raw.framed(Raw.message(), true), { "grpc-encoding": "snappy" }),
          "12",
          "this server reads messages in these encodings: identity, gzip, deflate; send one of them"
        ],
        [
          ask(Raw.infer, Raw.framed(Raw.message(), true), { "grpc-encoding": "gzip" }),
          "3",
          "the message is not gzip, as its grpc-encoding says; send it again, or without"
        ],
        [
          ask(Raw.infer, Raw.framed(Raw.message(8, { modelName: "ẑ%\n" }))),
          "5",
          'Request for unknown model: "%E1%BA%91%25\\n" is not here; ask for one of: echo, late, never'
        ]
      ]
      for (const [call, status, message] of refused) assert.deepInclude(yield* call, { http: 200, status, message })
      assert.strictEqual((yield* ask(Raw.infer, good, { "content-type": "text/plain" })).http, 415)
      assert.deepInclude(yield* ask(Raw.infer, good), { http: 200, status: "0" })
    })
  )

  it.live("does not stay open where it is none of gRPC's", () =>
    Effect.gen(function* () {
      const { session } = yield* serve()
      const calls = Array.from({ length: 500 }, () => Raw.begin(session, "/", { "content-type": "text/plain" }))
      const ends = yield* Effect.all(calls.map(Raw.end), { concurrency: "unbounded" })
      assert.isTrue(ends.every(({ http }) => http === 415))
      while (calls.some(({ closed }) => !closed)) yield* Effect.sleep("20 millis")
    })
  )

  it.live("is compressed as its head says, or not at all", () =>
    Effect.gen(function* () {
      const { session, seen } = yield* serve()
      const message = Raw.message(80_000)
      for (const [encoding, bytes] of [
        ["gzip", Raw.framed(gzipSync(message), true)],
        ["deflate", Raw.framed(deflateSync(message), true)],
        ["gzip", Raw.framed(message)]
      ] as const) {
        const call = Raw.begin(session, Raw.infer, { "grpc-encoding": encoding })
        call.end(bytes)
        assert.strictEqual((yield* Raw.end(call)).status, "0")
      }
      // Several on one stream, some compressed, in their order.
      const stream = Raw.begin(session, Raw.stream, { "grpc-encoding": "gzip" })
      for (let i = 0; i < 20; i++) {
        const numbered = Raw.message(8, { id: String(i) })
        stream.write(i % 3 === 0 ? Raw.framed(gzipSync(numbered), true) : Raw.framed(numbered))
      }
      stream.end()
      assert.strictEqual((yield* Raw.end(stream)).status, "0")
      assert.deepStrictEqual(
        seen.requests.slice(3).map(({ request }) => request.id),
        Array.from({ length: 20 }, (_, i) => String(i))
      )
    })
  )
})

describe("what one client may hold", () => {
  it.live("is nothing without its token", () =>
    Effect.gen(function* () {
      const { session } = yield* serve({ access: { all: Redacted.make("secret") } })
      const call = Raw.begin(session, Raw.infer)
      // Of its message nothing was sent yet.
      assert.deepInclude(yield* Raw.end(call), { status: "16", bytes: 0 })
    })
  )

  it.live("is a name where anyone may ask", () =>
    Effect.gen(function* () {
      const { session } = yield* serve({ access: { all: Redacted.make("secret") } })
      const call = Raw.begin(session, "/grpc.health.v1.Health/Check")
      call.end(Raw.framed(Buffer.alloc(5000)))
      assert.deepInclude(yield* Raw.end(call), {
        status: "8",
        message: "the body is over the limit of 4096 bytes; send fewer examples in one request"
      })
    })
  )

  it.live("is no message that asks for far more than its bytes", () =>
    Effect.gen(function* () {
      const { session } = yield* serve({ limits: { jsonArrays: 1000, jsonElements: 2000 } })
      const part = (field: number, bytes: Uint8Array) =>
        Buffer.concat([Buffer.from([8 * field + 2, (bytes.length & 127) | 128, bytes.length >> 7]), bytes])
      const many = (count: number, ...bytes: ReadonlyArray<number>) =>
        Buffer.alloc(count * bytes.length, Buffer.from(bytes))
      const input = (bytes: Uint8Array) => part(5, bytes)
      const contents = (bytes: Uint8Array) => input(part(5, bytes))
      const small = "/inference.GRPCInferenceService/ServerLive"
      const large: ReadonlyArray<readonly [path: string, message: Uint8Array]> = [
        // Inputs, outputs and fields unknown here, of two bytes each, at every depth; in the last, of a parameter's value.
        [Raw.infer, many(1001, 0x2a, 0, 0x78, 0)],
        [small, many(1001, 0x78, 0)],
        [Raw.infer, input(many(1001, 0x78, 0))],
        [Raw.infer, contents(many(1001, 0x42, 0))],
        [Raw.infer, part(4, part(2, many(1001, 0x78, 0)))],
        // Sizes, and numbers of one byte and of four.
        [Raw.infer, input(Buffer.concat([part(3, many(2001, 1)), many(1, 0x78, 0)]))],
        [Raw.stream, contents(part(3, many(2001, 1)))],
        [Raw.infer, contents(part(6, many(2001, 0, 0, 0, 0)))]
      ]
      for (const [path, message] of large) {
        const call = Raw.begin(session, path)
        call.end(Raw.framed(message))
        assert.deepInclude(yield* Raw.end(call), {
          status: "3",
          message:
            "the message has more parts or numbers than this server takes; send fewer, and tensors as raw_input_contents"
        })
      }
      const call = Raw.begin(session, Raw.infer)
      call.end(
        Raw.framed(
          Raw.message(8, {
            inputs: [{ name: "x", datatype: "INT32", shape: [1999n], contents: { intContents: Array(1999).fill(1) } }],
            rawInputContents: []
          })
        )
      )
      assert.strictEqual((yield* Raw.end(call)).status, "0")
    })
  )

  it.live("is, with all others together, the pot, and given back by whoever goes", () =>
    Effect.gen(function* () {
      const { address, session } = yield* serve({ limits: { heldBytes: MiB } })
      const others = yield* Effect.all(Array.from({ length: 10 }, () => Raw.connect(address)))
      const half = Raw.framed(Raw.message(960_000)).subarray(0, 100_000)
      const calls = others.map((other) => Raw.begin(other, Raw.infer))
      const ends = yield* Effect.forEach(calls, (call) => Effect.forkScoped(Raw.end(call)))
      yield* Effect.forEach(calls, (call) => Raw.write(call, half))
      // The next takes the pot over its bound: one of those that hold most gives way, and who holds little is served.
      const next = Raw.begin(session, Raw.infer)
      next.end(Raw.framed(Raw.message(80_000)))
      assert.strictEqual((yield* Raw.end(next)).status, "0")
      const refused = yield* Effect.raceAll(ends.map((end) => Fiber.join(end)))
      assert.deepInclude(refused, { status: "14", pushback: "1000" })
      assert.include(refused.message, "holds as many bytes")
      yield* Effect.forEach(
        calls.filter(({ closed }) => !closed),
        Raw.reset
      )
      for (let i = 0; i < 3; i++) {
        const whole = Raw.begin(session, Raw.infer)
        whole.end(Raw.framed(Raw.message(480_000)))
        assert.strictEqual((yield* Raw.end(whole)).status, "0")
      }
    })
  )

  it.live("is given up one by one by calls that have brought nothing, however many they are", () =>
    Effect.gen(function* () {
      const { address, session } = yield* serve({ limits: { heldBytes: 8 * MiB } })
      const sessions = yield* Effect.all(Array.from({ length: 3 }, () => Raw.connect(address)))
      // As many as go into the pot, and some.
      const calls = sessions.flatMap((one) => Array.from({ length: 700 }, () => Raw.begin(one, Raw.infer)))
      let refused = 0
      for (const call of calls) {
        call.on("response", (headers) => {
          refused += headers["grpc-status"] === "14" ? 1 : 0
        })
      }
      const excess = calls.length - (8 * MiB) / 4096
      const counts = () => [refused, calls.filter(({ closed }) => closed).length]
      yield* until(() => counts().every((count) => count >= excess))
      yield* Effect.sleep("100 millis")
      assert.deepStrictEqual(counts(), [excess, excess])
      const next = Raw.begin(session, Raw.infer)
      next.end(Raw.framed(Raw.message(80_000)))
      assert.strictEqual((yield* Raw.end(next)).status, "0")
    })
  )

  it.live("is what it sent grown a thousandfold, as far as there is room", () =>
    Effect.gen(function* () {
      const { address, session } = yield* serve({ limits: { heldBytes: 64 * MiB } })
      const hostile = yield* Raw.connect(address)
      const bomb = Raw.framed(gzipSync(Buffer.alloc(60 * MiB)), true)
      const before = process.memoryUsage.rss()
      let most = before
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage.rss())
      }, 20)
      const calls = Array.from({ length: 40 }, () => Raw.begin(hostile, Raw.infer, { "grpc-encoding": "gzip" }))
      for (const call of calls) call.end(bomb)
      const ends = yield* Effect.all(calls.map(Raw.end), { concurrency: "unbounded" })
      clearInterval(watch)
      assert.include(
        ends.map(({ status }) => status),
        "14"
      )
      assert.isBelow(most - before, 600 * MiB)
      const next = Raw.begin(session, Raw.infer)
      next.end(Raw.framed(Raw.message(48 * MiB)))
      assert.strictEqual((yield* Raw.end(next)).status, "0")
    })
  )

  it.live("is less than it looks in single bytes", () =>
    Effect.gen(function* () {
      const { session } = yield* serve({ limits: { heldBytes: 100_000 } })
      const call = Raw.begin(session, Raw.infer)
      call.write(Raw.framed(Raw.message(8000)).subarray(0, 5))
      const drip = Effect.gen(function* () {
        for (let i = 0; i < 1000 && call.writable; i++) {
          call.write(Buffer.alloc(1))
          yield* Effect.promise(() => new Promise(setImmediate))
        }
      })
      const [{ status }] = yield* Effect.all([Raw.end(call), drip], { concurrency: "unbounded" })
      assert.strictEqual(status, "14")
    })
  )

  it.live("is held for no longer than a request may take, also within a stream", () =>
    Effect.gen(function* () {
      const { session } = yield* serve({ limits: { requestMillis: 300, idleMillis: 500 } })
      const half = Raw.framed(Raw.message(800)).subarray(0, 400)
      const calls = [Raw.infer, Raw.stream].map((path) => Raw.begin(session, path))
      for (const call of calls) call.write(half)
      const idle = Raw.begin(session, Raw.stream)
      for (const end of yield* Effect.all(calls.map(Raw.end), { concurrency: "unbounded" })) {
        assert.deepInclude(end, {
          status: "4",
          message: "the request took longer to arrive than this server waits; send it again"
        })
      }
      // Who goes on all the same is cut off, and told so; a stream that rests between messages is none of these.
      yield* until(() => calls.every(({ closed }) => closed))
      assert.deepStrictEqual(
        calls.map(({ rstCode }) => rstCode),
        [8, 8]
      )
      assert.isFalse(idle.destroyed)
      idle.end(Raw.framed(Raw.message()))
      assert.strictEqual((yield* Raw.end(idle)).status, "0")
    })
  )

  it.live("ends with the time that the call itself gave", () =>
    Effect.gen(function* () {
      const { session, seen } = yield* serve()
      const call = Raw.begin(session, Raw.infer, { "grpc-timeout": "200m" })
      call.end(Raw.framed(Raw.message(8, { modelName: "never" })))
      assert.deepInclude(yield* Raw.end(call), { status: "4" })
      assert.strictEqual(seen.cancelled, 1)
    })
  )

  it.live("is nothing of a stream that a message ended which is none", () =>
    Effect.gen(function* () {
      const { session, seen } = yield* serve()
      const call = Raw.begin(session, Raw.stream)
      for (let i = 0; i < 3; i++) call.write(Raw.framed(Raw.message(8, { modelName: "never" })))
      call.end(Raw.framed(Buffer.from([0xff, 0xff])))
      assert.strictEqual((yield* Raw.end(call)).status, "3")
      assert.strictEqual(seen.cancelled, 3)
    })
  )

  it.live("is no answer that it does not read", () =>
    Effect.gen(function* () {
      const { session } = yield* serve({ limits: { idleMillis: 500 } })
      const call = Raw.begin(session, Raw.infer)
      call.end(Raw.framed(Raw.message(800_000)))
      yield* until(() => call.closed)
      assert.strictEqual(call.rstCode, 8)
    })
  )

  it.live("is no answer that it does not read, also where it read late before", () =>
    Effect.gen(function* () {
      const { session } = yield* serve({ limits: { idleMillis: 3_000 } })
      const call = Raw.begin(session, Raw.stream)
      const large = Raw.framed(Raw.message(400_000))
      call.write(large)
      yield* Effect.sleep("1300 millis")
      call.resume()
      yield* Effect.sleep("4 seconds")
      assert.isFalse(call.destroyed)
      call.pause()
      call.end(large)
      yield* until(() => call.closed)
      assert.strictEqual(call.rstCode, 8)
    })
  )

  it.live("is no more than so many connections", () =>
    Effect.gen(function* () {
      const { address, session } = yield* serve({ limits: { connections: 2 } })
      const call = Raw.begin(session, Raw.infer)
      call.end(Raw.framed(Raw.message()))
      assert.strictEqual((yield* Raw.end(call)).status, "0")
      const [, port] = address.split(":")
      const dropped = (socket: ReturnType<typeof connectSocket>) =>
        Effect.callback<boolean>((resume) => {
          socket.on("error", () => {})
          socket.on("close", () => resume(Effect.succeed(true)))
          setTimeout(() => resume(Effect.succeed(false)), 2_000)
        })
      const sockets = [1, 2].map(() => connectSocket(Number(port), "127.0.0.1").resume())
      assert.deepStrictEqual(yield* Effect.all(sockets.map(dropped), { concurrency: "unbounded" }), [false, true])
      for (const socket of sockets) socket.destroy()
    })
  )

  it.live("ends nobody else's calls by resets at any moment", () =>
    Effect.gen(function* () {
      const { address, session, seen } = yield* serve({ limits: { heldBytes: MiB } })
      const hostile = yield* Raw.connect(address)
      const body = Raw.framed(Raw.message(8000, { modelName: "late" }))
      for (let i = 0; i < 600; i++) {
        const call = Raw.begin(hostile, i % 2 === 0 ? Raw.infer : Raw.stream)
        const after = [
          () => call.close(8),
          () => setImmediate(() => call.close(8)),
          () => setTimeout(() => call.close(8), i % 120)
        ]
        call.write(i % 5 === 0 ? body.subarray(0, 100) : body)
        if (i % 7 === 0) call.end()
        after[i % 3]!()
        if (i % 50 === 0) yield* Effect.sleep("20 millis")
      }
      yield* Effect.sleep("300 millis")
      const call = Raw.begin(session, Raw.infer)
      call.end(Raw.framed(Raw.message(480_000)))
      assert.strictEqual((yield* Raw.end(call)).status, "0")
      assert.isAbove(seen.requests.length, 10)
    })
  )

  it.live("is no header over the limit", () =>
    Effect.gen(function* () {
      const { address, session } = yield* serve()
      const large = yield* Raw.connect(address)
      // The server's settings are known from the first answer on.
      const first = Raw.begin(large, Raw.infer)
      first.end(Raw.framed(Raw.message()))
      assert.strictEqual((yield* Raw.end(first)).status, "0")
      const call = Raw.begin(large, Raw.infer, { "x-large": "a".repeat(40_000) })
      call.end(Raw.framed(Raw.message()))
      assert.notStrictEqual((yield* Raw.end(call)).status, "0")
      const other = Raw.begin(session, Raw.infer)
      other.end(Raw.framed(Raw.message()))
      assert.strictEqual((yield* Raw.end(other)).status, "0")
    })
  )
})
