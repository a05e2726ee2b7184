import { copyFileSync, mkdtempSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Worker } from "node:worker_threads"
import { assert, it } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Fiber, Layer, Schedule, Scope } from "effect"
import * as InferenceServer from "../src/InferenceServer.ts"
import { call, fixtures, tensor } from "./Client.ts"

/** Collects every thread that starts during a test, as reported by Node. */
const threads = Effect.acquireRelease(
  Effect.sync(() => {
    const started: Array<Worker> = []
    const listener = (worker: Worker) => started.push(worker)
    process.on("worker", listener)
    return { started, listener }
  }),
  ({ listener }) => Effect.sync(() => process.off("worker", listener))
).pipe(Effect.map(({ started }) => started))

/** Returns the threads' ids; a thread that has ended has the id -1. */
const threadIds = (started: ReadonlyArray<Worker>) => started.map(({ threadId }) => threadId)

const repository = `${fixtures}/loop.onnx`
const ask = (n: number) =>
  call("/v2/models/loop/infer", { inputs: [tensor("n", "INT64", [], [n]), tensor("x", "FP32", [1], [0])] })
const slow = 1_500_000
// Longer than any machine takes, however busy.
const grace = "10 minutes"

it.live("answers 503 while a model's worker is down, and serves again", () =>
  Effect.gen(function* () {
    const started = yield* threads
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "models-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    const model = join(folder, "loop.onnx")
    const put = Effect.sync(() => copyFileSync(repository, model))
    yield* put
    yield* Effect.gen(function* () {
      assert.strictEqual(started.length, 1)
      assert.strictEqual((yield* ask(1)).status, 200)
      // Without its file it cannot start again, so that the time between is as long as the test needs.
      rmSync(model)
      yield* Effect.promise(() => started[0]!.terminate())
      const error = 'the model "loop" is not ready: its worker stopped and is being started again; ask again shortly'
      for (const path of ["/v2/models/loop", "/v2/models/loop/ready"]) {
        const answer = yield* call(path)
        assert.deepStrictEqual([answer.status, answer.body], [503, { error }])
      }
      const server = yield* call("/v2/health/ready")
      const none = "no model of this server is ready; POST /v2/repository/index says why, or ask again shortly"
      assert.deepStrictEqual([server.status, server.body], [503, { error: none }])
      assert.strictEqual((yield* ask(1)).status, 503)
      assert.strictEqual((yield* call("/v2/health/live")).status, 200)
      yield* put
      yield* call("/v2/health/ready").pipe(
        Effect.filterOrFail(({ status }) => status === 200),
        Effect.retry({ times: 400, schedule: Schedule.spaced("50 millis") })
      )
      assert.isAbove(started.length, 1)
      assert.strictEqual((yield* ask(1)).status, 200)
    }).pipe(Effect.provide(InferenceServer.layer({ repository: folder, port: 0 })))
  }).pipe(Effect.scoped)
)

it.live("answers other requests while a model computes", () =>
  Effect.gen(function* () {
    const underway = yield* Effect.forkChild(ask(slow))
    yield* Effect.sleep("50 millis")
    const answers = yield* Effect.replicateEffect(call("/v2/health/ready"), 5)
    assert.isTrue(answers.every(({ status }) => status === 200))
    assert.isUndefined(underway.pollUnsafe(), "the computation was over before the other answers came")
    yield* Fiber.join(underway)
  }).pipe(Effect.provide(InferenceServer.layer({ repository, port: 0 })))
)

it.live("lets a computation end before it ends its thread", () =>
  Effect.gen(function* () {
    const started = yield* threads
    yield* Effect.gen(function* () {
      const running = yield* Effect.forkChild(ask(slow))
      const queued = yield* Effect.forkChild(ask(slow))
      yield* Effect.sleep("100 millis")
      yield* Effect.all([Fiber.interrupt(running), Fiber.interrupt(queued)])
    }).pipe(Effect.provide(InferenceServer.layer({ repository, port: 0 })))
    assert.deepStrictEqual(threadIds(started), [-1])
  }).pipe(Effect.scoped)
)

it.live("stops listening and ends its threads when its scope closes", () =>
  Effect.gen(function* () {
    const started = yield* threads
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(InferenceServer.layer({ repository: fixtures, port: 0 }), scope)
    yield* Effect.provideContext(ask(1), context)
    assert.strictEqual(started.length, 4)
    yield* Scope.close(scope, Exit.void)
    assert.deepStrictEqual(threadIds(started), [-1, -1, -1, -1])
    const after = yield* Effect.exit(Effect.provideContext(ask(1), context))
    assert.isTrue(Exit.isFailure(after))
  }).pipe(Effect.scoped)
)

it.live("does not wait for connections that have sent nothing when it closes", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const serving = InferenceServer.layer({
      repository: fixtures,
      port: 0,
      grpcPort: 0,
      executionProviders: ["cpu"],
      grace
    })
    const { grpc, url } = Context.get(yield* Layer.buildWithScope(serving, scope), InferenceServer.InferenceServer)
    for (const address of [new URL(url), new URL(`http://${grpc}`)]) {
      yield* Effect.callback<void>((resume) => {
        connect(Number(address.port), address.hostname, () => resume(Effect.void))
      })
    }
    const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
    assert.isBelow(Duration.toMillis(took), 50_000)
  })
)

it.live("closes each connection with its answer once it closes, and does not wait for what is half sent", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const serving = InferenceServer.layer({ repository, port: 0, executionProviders: ["cpu"], grace })
    const { url } = Context.get(yield* Layer.buildWithScope(serving, scope), InferenceServer.InferenceServer)
    const speak = (text: string) => {
      const said = { text: "" }
      const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text))
      const closed = new Promise<string>((resolve) => {
        socket.on("data", (part) => {
          said.text += part
        })
        socket.on("error", () => undefined)
        socket.on("close", () => resolve(said.text))
      })
      return { socket, closed }
    }
    const post = (body: string, length = body.length) =>
      `POST /v2/models/loop/infer HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n${body}`
    const sines = (n: number) =>
      JSON.stringify({ inputs: [tensor("n", "INT64", [], [n]), tensor("x", "FP32", [1], [0])] })
    const body = sines(1)
    speak("GET /v2 HTTP/1.1\r\nhos")
    speak(post("{", 10))
    const underWay = speak(post(sines(slow)))
    const steady = speak(post(body.slice(0, 10), body.length))
    yield* Effect.sleep("200 millis")
    let sent = 10
    const more = setInterval(() => {
      if (sent < body.length) steady.socket.write(body.slice(sent, ++sent))
    }, 30)
    const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
    clearInterval(more)
    for (const { closed } of [underWay, steady]) {
      const text = yield* Effect.promise(() => closed)
      assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
      assert.match(text, /\r\nconnection: close\r\n/i)
    }
    assert.isBelow(Duration.toMillis(took), 50_000)
  })
)

it.live("is refused a port that is none before it opens its models, and providers of which there is none", () =>
  Effect.gen(function* () {
    for (const ports of [{ port: 99_999 }, { port: -1 }, { port: 0, grpcPort: Number.NaN }]) {
      const started = yield* threads
      const refused = yield* Effect.flip(Layer.build(InferenceServer.layer({ repository: fixtures, ...ports })))
      const { grpcPort = ports.port } = ports
      assert.strictEqual(
        refused.message,
        `expected to listen on 127.0.0.1:${grpcPort}, but a port is a whole number from 0 to 65535; give another host or port (0 takes a free one)`
      )
      assert.lengthOf(started, 0)
    }
    const none = InferenceServer.layer({ repository: fixtures, port: 0, executionProviders: [] })
    const { message } = yield* Effect.flip(Layer.build(none))
    assert.include(message, "no execution provider was named to compute it on; name for instance cpu")
  }).pipe(Effect.scoped)
)
