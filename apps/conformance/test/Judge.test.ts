/**
 * `npm run judge` as users call it: what it prints, and exit code 1 where a judge says no. `npm run judge -- setup` installs its Python.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, describe, expect, it, test } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as Python from "../src/Python.ts"
import * as RandomModel from "../src/RandomModel.ts"
import * as Verdict from "../src/Verdict.ts"

const file = (name: string) => fileURLToPath(new URL(`../src/${name}`, import.meta.url))

const python = await Effect.runPromise(Python.python.pipe(Effect.option, Effect.provide(NodeServices.layer)))

const title = (name: string) =>
  python._tag === "Some" ? name : `${name} (skipped: no judges; set them up by npm run judge -- setup)`

describe.skipIf(python._tag === "None")(title("the judges"), () => {
  const folder = mkdtempSync(join(tmpdir(), "rai-judge-"))
  afterAll(() => rmSync(folder, { recursive: true }))

  const run = (...args: ReadonlyArray<string>) =>
    spawnSync(python._tag === "Some" ? python.value : "", args, { encoding: "utf8" }).stdout

  test("let twelve models pass, and end with 0", () => {
    const args = [file("judge.ts"), "--models", "12", "--out", folder]
    const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" })
    expect(stderr).toBe("")
    expect(status).toBe(0)
    const [head, ...rows] = stdout.split("\n").map((line) => line.split(/ {2,}/))
    expect(head).toEqual(["judge", "passed", "failed", "largest difference"])
    expect(rows.slice(0, 5).map(([judge, passed, failed]) => [judge, passed, failed])).toEqual([
      ["checker, full", "12", "0"],
      ["shape inference, strict", "12", "0"],
      ["reference evaluator", "12", "0"],
      ["onnxruntime", "12", "0"],
      ["OpenCV", "12", "0"]
    ])
  })

  test("say no to another answer, another shape and a file cut short", () => {
    const [answer, model] = [join(folder, "0000", "expected.json"), (name: string) => join(folder, name, "model.onnx")]
    writeFileSync(answer, readFileSync(answer, "utf8").replace(/("(?:logit|value)":\[\[\d+,\d+\],\[)[^,\]]+/, "$19"))
    const wider = "m.graph.output[0].type.tensor_type.shape.dim[1].dim_value += 1"
    run("-c", `import onnx; m = onnx.load("${model("0001")}"); ${wider}; onnx.save(m, "${model("0001")}")`)
    writeFileSync(model("0002"), readFileSync(model("0002")).subarray(0, -40))
    const failing = run(file("judge.py"), folder)
      .trimEnd()
      .split("\n")
      .map((line) => Object.entries(Schema.decodeUnknownSync(Verdict.Verdicts)(line).verdicts))
      .map((verdicts) => verdicts.flatMap(([judge, { passed }]) => (passed ? [] : [judge])))
    const [checker, inference, ...runs] = [
      "checker, full",
      "shape inference, strict",
      "reference evaluator",
      "onnxruntime",
      "OpenCV"
    ]
    expect(failing.slice(0, 4)).toEqual([runs, [checker, inference], [checker, inference, ...runs], []])
  })
})

it.effect("a failure is told with the model's circuit, and is none of a clean table", () =>
  Effect.gen(function* () {
    const model = yield* RandomModel.make(2)
    const judged = [
      {
        name: model.name,
        verdicts: { checker: { passed: true }, onnxruntime: { passed: false, reason: "ValueError: no" } }
      }
    ]
    expect(Verdict.isClean([model], judged)).toBe(false)
    const lines = Verdict.lines([model], judged)
    expect(lines.at(-1)).toMatch(/^failed 0002, onnxruntime: ValueError: no\n {2}.+linear \d+→\d+; /)
    expect(lines.slice(1, 3).map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
      ["checker", "1", "0"],
      ["onnxruntime", "0", "1"]
    ])
    expect(Verdict.isClean([model], [])).toBe(false)
    expect(Verdict.isClean([], [])).toBe(false)
  })
)
