import { execFile, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { GrpcTransport } from "../../src/grpc/GrpcTransport.ts"
import * as Plane from "../Plane.ts"

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))

// Names a Python with tritonclient[grpc], grpcio-reflection and grpcio-health-checking.
const python = process.env.RAI_TRITONCLIENT ?? "python3"
const imports = "import tritonclient.grpc, grpc_health.v1, grpc_reflection.v1alpha"
const absent = spawnSync(python, ["-c", imports]).status !== 0

it.live.skipIf(absent)("Triton's own client, and gRPC's own tools, are answered", () =>
  Effect.gen(function* () {
    const { address } = yield* GrpcTransport
    const run = promisify(execFile)(python, [path("tritonclient_test.py"), address])
    const { stdout } = yield* Effect.promise(() => run)
    assert.deepStrictEqual(stdout.trim().split("\n"), [
      "metadata",
      "infer",
      "texts",
      "kinds",
      "classification",
      "stream",
      "statistics",
      "load",
      "reflection 4",
      "health"
    ])
  }).pipe(
    Effect.provide(
      GrpcTransport.layer({ port: 0, access: { admin: Redacted.make("secret") } }).pipe(
        Layer.provide(Plane.layer(path("../triton/models")))
      )
    )
  )
)
