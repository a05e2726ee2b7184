/**
 * One server under load: `node serving.ts MODEL SECONDS COMMAND …`, where {port} and {model} in the command are replaced. Where taskset is available,
 * the server has one core and the client another.
 */
import { existsSync } from "node:fs"
import { availableParallelism } from "node:os"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Schedule, Schema, Stream } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as ProcessorTime from "./ProcessorTime.ts"

const [, , model = "", seconds = "4", ...command] = process.argv
const port = "18473"
const url = `http://127.0.0.1:${port}/v2`

const pinned = existsSync("/usr/bin/taskset") && availableParallelism() > 1
// Not detached: given sessions of their own, Linux would divide each core between these and everything else running.
const on = (core: number, [name = "", ...args]: ReadonlyArray<string>) =>
  pinned
    ? ChildProcess.make("taskset", ["-c", String(core), name, ...args], { stderr: "inherit", detached: false })
    : ChildProcess.make(name, args, { stderr: "inherit", detached: false })

const Said = Schema.fromJsonString(
  Schema.Struct({ requests: Schema.Finite, requestsPerSecond: Schema.Finite, p50: Schema.Finite, p99: Schema.Finite })
)

const measured = Effect.gen(function* () {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const server = yield* spawner.spawn(
    on(
      0,
      command.map((word) => word.replace("{port}", port).replace("{model}", model))
    )
  )
  yield* Effect.forkScoped(Stream.runDrain(server.stdout))
  yield* HttpClient.get(`${url}/health/live`).pipe(
    Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.upTo({ times: 600 })))
  )
  const body = { inputs: [{ name: "x", shape: [1, 2], datatype: "FP32", data: [0.5, -0.25] }] }
  const load = new URL("load.mjs", import.meta.url).pathname
  const ask = Effect.fnUntraced(function* (seconds: string) {
    const args = [process.execPath, load, `${url}/models/model/infer`, seconds, JSON.stringify(body)]
    const client = yield* spawner.spawn(on(1, args))
    const text = yield* Stream.mkString(Stream.decodeText(client.stdout))
    return yield* Schema.decodeUnknownEffect(Said)(text)
  })
  yield* ask("2") // warm-up, until V8 has compiled the code
  const before = ProcessorTime.seconds(server.pid)
  const said = yield* ask(seconds)
  const cpuMicros = ((ProcessorTime.seconds(server.pid) - before) * 1e6) / said.requests
  yield* Console.log(JSON.stringify({ ...said, cpuMicros }))
}).pipe(Effect.scoped)

measured.pipe(Effect.provide([NodeServices.layer, FetchHttpClient.layer]), NodeRuntime.runMain)
