/**
 * A run that is told to end says so at once, saves what was done, and does not make anyone wait who tells it twice.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { ended, folder, heard, main } from "./CommandLine.ts"

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const begin = async (circuit: string, ...before: ReadonlyArray<string>) => {
  const run = join(folder(), "run")
  const settings = `train --data moons-100 --circuit ${circuit} --activation tanh --engine onnx --plan relax:50000:rprop=0.001`
  const [command, ...args] = [...before, process.execPath, main, ...settings.split(" "), "--out", run]
  const child = spawn(command!, args)
  const over = ended(child)
  await heard(child, " 0/50000")
  return { run, child, over }
}

/** The number of steps in a run's checkpoint, whose arrays are whole. */
const saved = (run: string): number => {
  const { arrays, content } = JSON.parse(readFileSync(join(run, "checkpoint.json"), "utf8"))
  const bytes = readFileSync(join(run, arrays.file))
  assert.strictEqual(createHash("sha256").update(bytes).digest("hex"), arrays.sha256)
  return content.progress.total
}

describe("signals", () => {
  it("signals that come together are one, and what it means is said before the run is saved", async () => {
    const { child, over, run } = await begin("2,16x4,1")
    child.kill("SIGINT")
    await sleep(20)
    child.kill("SIGINT")
    child.kill("SIGTERM")
    const { code, stderr } = await over
    assert.strictEqual(code, 130)
    assert.match(
      stderr,
      /\ninterrupting: what was done is saved; a second signal ends it at once and leaves what was saved before\n(.*\n)*interrupted; the same command with --resume goes on from here\n$/
    )
    assert.isAbove(saved(run), 0)
  })

  it("a terminal that closes interrupts a run and hurries no save, under nohup too", async () => {
    const { child, over, run } = await begin("2,300x8,1", "nohup")
    child.kill("SIGHUP")
    await heard(child, "interrupting: ")
    await sleep(250)
    child.kill("SIGHUP")
    const { code, stderr } = await over
    assert.strictEqual(code, 130)
    assert.match(stderr, /\ninterrupted; the same command with --resume goes on from here\n$/)
    assert.isAbove(saved(run), 0)
  })

  it("a second signal ends a run that saves at once, and its last whole checkpoint stays", async () => {
    const { child, over, run } = await begin("2,700x10,1")
    while (!existsSync(join(run, "checkpoint.json"))) await sleep(50)
    child.kill("SIGINT")
    await heard(child, "interrupting: ")
    await sleep(250)
    child.kill("SIGINT")
    assert.deepStrictEqual(await once(child, "exit"), [null, "SIGINT"])
    assert.notInclude((await over).stderr, "interrupted")
    saved(run)
  })
})
