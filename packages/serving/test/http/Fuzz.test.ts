import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as InferenceServer from "../../src/InferenceServer.ts"
import { models } from "./Ask.ts"
import { fuzz } from "./Fuzz.ts"

it.live("nothing that is nearly a request ends the server, meets a fault of it, or sees its paths", () =>
  Effect.gen(function* () {
    const { url } = yield* InferenceServer.InferenceServer
    const { faults, statuses } = yield* Effect.promise(() => fuzz(url, 3000, 7))
    assert.deepStrictEqual(faults, [])
    for (const status of [200, 400, 404, 405]) assert.isAbove(statuses[status] ?? 0, 50)
  }).pipe(Effect.provide(InferenceServer.layer({ repository: models, port: 0, executionProviders: ["cpu"] })))
)
