/**
 * Runs that are killed or interrupted and then resumed end as if they had not been.
 */
import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs"

import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { ended, folder, hashes, heard, rai, start } from "./CommandLine.ts"

// About five seconds of training, with a checkpoint every two.
const settings = [
  ..."train --data moons-100 --circuit 2,64x40,1 --activation tanh --seed 3".split(" "),
  ..."--plan relax:1200:rprop=0.001:every=4:refresh=60,backpropagate:400:adam=0.001".split(" ")
]

const circuitOf = (run: string) => {
  const [name, hash] = Object.entries(hashes(run)).find(([file]) => /^circuit-.*safetensors$/.test(file))!
  return `${name} ${hash}`
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe("resume", () => {
  const whole = join(folder(), "whole")

  beforeAll(async () => {
    const { code, stderr } = await rai(...settings, "--out", whole)
    assert.strictEqual(code, 0, stderr)
  })

  it("a run killed again and again ends with bit-identical parameters", async () => {
    const place = folder()
    const run = join(place, "killed")
    let kills = 0
    for (const after of [1500, 4000, 4500, 5000]) {
      const child = existsSync(join(run, "settings.json"))
        ? start("train", "--out", run, "--resume")
        : start(...settings, "--out", run)
      const over = ended(child)
      await Promise.race([over, sleep(after)])
      if (child.exitCode === null) kills++
      child.kill("SIGKILL")
      await over
    }
    assert.isAbove(kills, 1)
    const last = existsSync(join(run, "settings.json"))
      ? await rai("train", "--out", run, "--resume")
      : await rai(...settings, "--out", run)
    assert.strictEqual(last.code, 0, last.stderr)
    assert.strictEqual(circuitOf(run), circuitOf(whole))
  })

  it("a run killed as a phase begins, before its first checkpoint, keeps each measurement once", async () => {
    const run = join(folder(), "run")
    // The one step of the first phase takes longer than the two seconds between checkpoints, so that one is made at its end.
    const slow = [
      ..."train --data blobs:n=3000,centers=3 --circuit 2,64x6,3 --activation tanh --engine reference".split(" "),
      ..."--plan relax:1,backpropagate:1".split(" ")
    ]
    const child = start(...slow, "--out", run)
    const over = ended(child)
    await heard(child, "backpropagate 0/1")
    child.kill("SIGKILL")
    await over
    assert.isTrue(existsSync(join(run, "checkpoint.json")))
    const resumed = await rai("train", "--out", run, "--resume")
    assert.strictEqual(resumed.code, 0, resumed.stderr)
    const rows = readFileSync(join(run, "metrics.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    assert.deepStrictEqual(
      rows.map(({ phase, step, total }) => [phase, step, total]),
      [
        ["relax", 0, 0],
        ["relax", 1, 1],
        ["backpropagate", 0, 1],
        ["backpropagate", 1, 2]
      ]
    )
  }, 300_000)

  it("an interrupt saves what was done, exits with 130, and the run goes on from there", async () => {
    const place = folder()
    const run = join(place, "run")
    const child = start(...settings, "--out", run)
    const over = ended(child)
    await heard(child, "0/1200")
    await sleep(500)
    child.kill("SIGINT")
    assert.strictEqual((await over).code, 130)
    assert.isTrue(existsSync(join(run, "checkpoint.json")))
    const other = await rai("train", "--out", run, "--resume", "--circuit", "2,8,1")
    assert.strictEqual(other.code, 1)
    assert.match(other.stderr, /expected circuit 2,64x40,1, with which the run began, but 2,8,1 came/)
    const resumed = await rai("train", "--out", run, "--resume")
    assert.strictEqual(resumed.code, 0, resumed.stderr)
    assert.strictEqual(circuitOf(run), circuitOf(whole))
  })

  it("a run of short phases that is killed with a checkpoint sums up, resumed, as one that was not", async () => {
    const place = folder()
    const short = [
      ..."train --data moons-100 --circuit 2,32x30,1 --activation sigmoid --engine onnx --seed 3".split(" "),
      ...["--plan", `relax:30:rprop=0.001${",backpropagate:60:adam=0.000001".repeat(14)}`]
    ]
    const undisturbed = await rai(...short, "--out", join(place, "whole"))
    assert.strictEqual(undisturbed.code, 0, undisturbed.stderr)
    const run = join(place, "killed")
    const child = start(...short, "--out", run)
    const over = ended(child)
    const looking = setInterval(() => {
      if (existsSync(join(run, "checkpoint.json"))) child.kill("SIGKILL")
    }, 5)
    assert.strictEqual((await over).code, null, "it was killed")
    clearInterval(looking)
    const resumed = await rai("train", "--out", run, "--resume")
    assert.strictEqual(resumed.code, 0, resumed.stderr)
    const summed = (of: string) => ({
      ...JSON.parse(readFileSync(join(of, "summary.json"), "utf8")),
      ...{ seconds: 0, stepsPerSecond: 0, run: "" }
    })
    const whole = summed(join(place, "whole"))
    assert.isAbove(whole.findings.length, 1)
    assert.deepStrictEqual(summed(run), whole)
    assert.strictEqual(circuitOf(run), circuitOf(join(place, "whole")))
  })

  it("an interrupt while the trained circuit is saved waits for it, and says what is there", async () => {
    const run = join(folder(), "run")
    const child = start(
      ..."train --data moons-100 --circuit 2,512x8,1 --plan relax:2 --engine onnx --out".split(" "),
      run
    )
    const over = ended(child)
    const looking = setInterval(() => {
      if (!existsSync(run) || !readdirSync(run).some((file) => file.startsWith("circuit-"))) return
      child.kill("SIGINT")
      clearInterval(looking)
    }, 1)
    const { code, stderr } = await over
    assert.strictEqual(code, 130)
    assert.match(stderr, /interrupted; the trained circuit is in .*run, its summary and pictures are not\n$/)
    assert.isTrue(existsSync(join(run, "circuit.json")))
  })

  it("a run whose folder is renamed ends with an error, leaves no other in its place, and goes on from the new one", async () => {
    const place = folder()
    const [run, moved] = [join(place, "run"), join(place, "moved")]
    const child = start(...settings, "--out", run)
    const over = ended(child)
    await heard(child, "0/1200")
    renameSync(run, moved)
    const { code, stderr } = await over
    assert.strictEqual(code, 1)
    assert.match(stderr, /error: expected the run's folder .*run to stay where it is, but it was removed or renamed/)
    assert.isFalse(existsSync(run))
    const resumed = await rai("train", "--out", moved, "--resume")
    assert.strictEqual(resumed.code, 0, resumed.stderr)
    assert.strictEqual(circuitOf(moved), circuitOf(whole))
  })

  it("a run whose test data have changed since is not resumed", async () => {
    const place = folder()
    const [run, test] = [join(place, "run"), join(place, "test.csv")]
    writeFileSync(test, "x1,x2,label\n0,1,0\n1,0,1\n")
    const child = start(...settings, "--test", test, "--out", run)
    const over = ended(child)
    await heard(child, "0/1200")
    child.kill("SIGKILL")
    await over
    writeFileSync(test, "x1,x2,label\n0,1,0\n1,0.5,1\n")
    const { code, stderr } = await rai("train", "--out", run, "--resume")
    assert.strictEqual(code, 1)
    assert.match(stderr, /error: expected the test data with which the run began, but they have changed since; bring/)
  })

  it("a run that another process carries out is left to it, until that process ends, however it does", async () => {
    const place = folder()
    const run = join(place, "run")
    const child = start(...settings, "--out", run)
    const over = ended(child)
    await heard(child, "0/1200")
    symlinkSync(place, join(place, "link"))
    for (const other of [
      [...settings, "--out", run],
      ["train", "--out", join(place, "link", "run"), "--resume"]
    ]) {
      const { code, stderr } = await rai(...other)
      assert.strictEqual(code, 1)
      assert.match(
        stderr,
        new RegExp(`error: expected one process at a time in .*run, but process ${child.pid} is at work there; wait`)
      )
    }
    child.kill("SIGKILL")
    await over
    const resumed = await rai("train", "--out", run, "--resume")
    assert.strictEqual(resumed.code, 0, resumed.stderr)
    assert.strictEqual(circuitOf(run), circuitOf(whole))
  })
})
