import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import * as Bundle from "../src/Bundle.mjs"
import { at } from "../src/Repository.mjs"

const run = (file: string, ...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, [file, ...args], { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } })

describe("Bundle", () => {
  it("says what the sources say", async () => {
    const sources = run(at("apps", "cli", "src", "main.ts"), "train", "--help")
    const bundle = run(await Bundle.ensure(), "train", "--help")
    assert.include(bundle.stdout, "--circuit")
    assert.equal(bundle.stdout, sources.stdout)
  })

  it.each(["onnx", "tfjs-wasm"])(
    "finds engines, threads, data and fonts where the sources lie, by %s",
    async (engine) => {
      const folder = mkdtempSync(join(tmpdir(), "bundle "))
      const [model, inputs] = [join(folder, "model.onnx"), join(folder, "inputs.csv")]
      writeFileSync(inputs, `${Array.from({ length: 64 }, (_, i) => `p${i}`).join()}\n${Array(64).fill(0).join()}\n`)
      const circuit = ["--data", "digits", "--circuit", "64,8,10", "--plan", "backpropagate:20:rprop=0.01"]
      const file = await Bundle.ensure()
      for (const args of [
        ["train", ...circuit, "--engine", engine, "--out", join(folder, "run")],
        ["export", join(folder, "run"), "--out", model],
        ["predict", model, "--input", inputs]
      ]) {
        const { status, stderr } = run(file, ...args)
        assert.equal(status, 0, stderr)
      }
      rmSync(folder, { recursive: true })
    }
  )

  it("is made anew where a source is newer, and only there", async () => {
    const file = await Bundle.ensure()
    const before = statSync(file).mtimeMs
    await Bundle.ensure()
    assert.equal(statSync(file).mtimeMs, before)
    utimesSync(file, new Date(0), new Date(0))
    await Bundle.ensure()
    assert.isAbove(statSync(file).mtimeMs, before)
  })
})
