import { createServer, type Http2Session } from "node:http2"
import { type AddressInfo, connect } from "node:net"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Connections from "../../src/grpc/Connections.ts"
import { until } from "../Until.ts"
import * as Raw from "./Raw.ts"

const minute = 60_000

it.live("a connection is let go that has had no call for long, or that does not answer a ping", () =>
  Effect.gen(function* () {
    const connections: Connections.Connections = new Map()
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => createServer().on("session", (session) => Connections.add(connections, session))),
      (server) => Effect.sync(() => server.close())
    )
    const port = yield* Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    })
    yield* Raw.connect(`127.0.0.1:${port}`)
    yield* until(() => connections.size === 1)
    const [alive] = connections.keys() as IterableIterator<Http2Session>
    // One that never says a word.
    const socket = connect(port, "127.0.0.1").on("error", () => {})
    yield* until(() => connections.size === 2)
    const answered = until(() => connections.get(alive!)?.waits === false)
    const now = performance.now()
    Connections.sweep(connections, new Set(), now + 1.1 * minute)
    yield* answered
    Connections.sweep(connections, new Set(), now + 1.5 * minute)
    yield* until(() => connections.size < 2)
    assert.deepStrictEqual([...connections.keys()], [alive])
    Connections.sweep(connections, new Set([alive]), now + 9 * minute)
    yield* answered
    Connections.sweep(connections, new Set(), now + 18 * minute)
    yield* answered
    assert.strictEqual(connections.size, 1)
    Connections.sweep(connections, new Set(), now + 19.5 * minute)
    yield* until(() => connections.size === 0)
    socket.destroy()
  })
)
