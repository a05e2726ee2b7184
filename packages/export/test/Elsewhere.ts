/**
 * Python's onnx and onnxruntime, where installed: `RAI_ONNX` names a Python that has them.
 */
import { spawnSync } from "node:child_process"
import { assert } from "@effect/vitest"
import type * as Parity from "../src/Parity.ts"

const python = process.env.RAI_ONNX ?? "python3"

export const isThere = spawnSync(python, ["-c", "import onnx, onnxruntime"]).status === 0

const script = new URL("elsewhere.py", import.meta.url).pathname

/** Checks that each model passes onnx's checker, and that its outputs in Python equal those in its parity record. */
export const agrees = (models: Readonly<Record<string, Parity.ParityRecord>>, tolerance = 1e-6): void => {
  const files = Object.keys(models)
  const { stderr, stdout } = spawnSync(python, [script, ...files], { encoding: "utf8", maxBuffer: 2 ** 28 })
  assert.notStrictEqual(stdout, "", stderr)
  const found = JSON.parse(stdout) as Readonly<Record<string, Readonly<Record<string, ReadonlyArray<string>>>>>
  for (const [file, { outputs }] of Object.entries(models)) {
    for (const [name, { onnxruntime }] of Object.entries(outputs)) {
      const came = found[file]![name]!.map((text) => Number(text.replace("inf", "Infinity")))
      const expected = onnxruntime.flat().map(Number)
      assert.strictEqual(came.length, expected.length)
      for (const [i, b] of expected.entries()) {
        const isSame = Object.is(came[i], b) || came[i] === b || Math.abs(came[i]! - b) <= tolerance * (1 + Math.abs(b))
        assert.isTrue(isSame, `${file} ${name} ${i}: ${came[i]} in Python, ${b} here`)
      }
    }
  }
}
