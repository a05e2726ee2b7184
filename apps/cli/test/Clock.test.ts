/**
 * A run goes on as ever while the machine's clock is set back.
 */
import { spawn } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "vitest"
import { ended, folder, main } from "./CommandLine.ts"

// About five seconds of training.
const settings = [
  ..."train --data moons-100 --circuit 2,64x40,1 --activation tanh --engine onnx".split(" "),
  ..."--plan relax:1600:rprop=0.001:every=4:refresh=60".split(" ")
]

it("progress, checkpoints and seconds do not wait for a clock that was set back", async () => {
  const place = folder()
  const [run, shift] = [join(place, "run"), join(place, "shift.cjs")]
  // An hour back, as soon as the run has measured its start.
  const source = `const [{ existsSync }, now] = [require("node:fs"), Date.now]
    Date.now = () => now() - (existsSync(${JSON.stringify(join(run, "metrics.jsonl"))}) ? 3_600_000 : 0)`
  writeFileSync(shift, source)
  const child = spawn(process.execPath, ["--require", shift, main, ...settings, "--out", run], {
    env: { ...process.env, NO_COLOR: "1" }
  })
  let isSaved = false
  const looking = setInterval(() => {
    isSaved ||= existsSync(join(run, "checkpoint.json"))
  }, 5)
  const { code, stderr } = await ended(child)
  clearInterval(looking)
  assert.strictEqual(code, 0, stderr)
  assert.isTrue(isSaved, "a checkpoint was kept on the way")
  assert.isAbove(stderr.match(/^relax \d+\/1600/gm)!.length, 2, "a line on the way, beside the first and the last")
  const seconds = readFileSync(join(run, "metrics.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line): number => JSON.parse(line).seconds)
  assert.deepStrictEqual(
    seconds,
    seconds.toSorted((a, b) => a - b)
  )
  const summary = JSON.parse(readFileSync(join(run, "summary.json"), "utf8"))
  assert.isAbove(summary.stepsPerSecond, 0)
})
