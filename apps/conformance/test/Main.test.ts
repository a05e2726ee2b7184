/**
 * The command as users call it: what it prints, and exit code 1 where a case fails.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Cases from "../src/Cases.ts"

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))

const call = (folder: string) => {
  const { status, stdout } = spawnSync(process.execPath, [main, folder, "--engine", "reference"], { encoding: "utf8" })
  return { status, lines: stdout.trimEnd().split("\n") }
}

it.effect("a folder of cases ends with 0 where all pass, and with 1 where the answer is another", () =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "rai-cases-"))),
      (own) => Effect.sync(() => rmSync(own, { recursive: true }))
    )
    const one = (yield* Cases.inFile(Cases.packed)).find(({ name }) => name === "test_elu_example")!
    const data = join(folder, one.name, "test_data_set_0")
    mkdirSync(data, { recursive: true })
    writeFileSync(join(folder, one.name, "model.onnx"), one.model)
    writeFileSync(join(data, "input_0.pb"), one.inputs[0]!)
    writeFileSync(join(data, "output_0.pb"), one.outputs[0]!)
    expect(call(folder)).toEqual({ status: 0, lines: ["  Elu, operator set 22: 1 passed", "reference: 1 passed"] })
    // The numbers that go in are not those that come out.
    writeFileSync(join(data, "output_0.pb"), one.inputs[0]!)
    const { lines, status } = call(folder)
    expect(status).toBe(1)
    expect(lines).toEqual([
      "  Elu, operator set 22: 1 failed",
      "failed test_elu_example: y: expected -1 at 0 of [3], but -1.2642411176571153 came",
      "reference: 1 failed"
    ])
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)

it.effect("a folder without cases is none", () =>
  Effect.gen(function* () {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "rai-cases-"))),
      (own) => Effect.sync(() => rmSync(own, { recursive: true }))
    )
    expect(call(folder).status).toBe(1)
  }).pipe(Effect.scoped)
)
