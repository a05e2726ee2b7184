/**
 * Seed, engine and version determine a run exactly: two processes end with byte-identical parameters.
 */
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as NativeLibrary from "@rai/core/native"
import { Effect, Option } from "effect"
import { assert, describe, it } from "vitest"
import * as EngineChoice from "../src/EngineChoice.ts"
import { folder, hashes, rai } from "./CommandLine.ts"

const native = await Effect.runPromise(Effect.provide(NativeLibrary.status, NodeServices.layer))
const hasNative = Option.isSome(native) && native.value._tag === "Installed"

// With noise and batches, and on onnxruntime with enough stages to use all its threads.
const settings = (engine: EngineChoice.Name) => [
  ..."train --data moons-100 --activation tanh --seed 7 --circuit".split(" "),
  engine === "reference" ? "2,8x6,1" : "2,48x24,1",
  ..."--plan relax:12:rprop=0.01:noise=0.1,relax:2:adam=0.01:batch=25,backpropagate:8:adam=0.001".split(" ")
]

const parameters = async (engine: EngineChoice.Name) => {
  const out = join(folder(), "run")
  const { code, stderr } = await rai(...settings(engine), "--engine", engine, "--out", out)
  assert.strictEqual(code, 0, stderr)
  return Object.entries(hashes(out)).filter(([name]) => name.endsWith(".safetensors"))
}

describe("two processes end with the same bytes", () => {
  for (const engine of EngineChoice.names.filter((name) => name !== "auto")) {
    it.skipIf(engine === "tfjs-native" && !hasNative)(`on ${engine}`, async () => {
      const first = await parameters(engine)
      assert.strictEqual(first.length, 1)
      assert.deepStrictEqual(await parameters(engine), first)
    })
  }
})
