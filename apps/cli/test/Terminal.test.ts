/**
 * Terminal output: a progress bar that leaves a clean line behind, and colour unless NO_COLOR is set.
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { ended, main, rai } from "./CommandLine.ts"

// util-linux's `script` runs its command on a pseudo-terminal.
const script = "script"
const found = spawnSync(script, ["--version"]).status === 0

const onTerminal = (env: Readonly<Record<string, string>>, ...args: ReadonlyArray<string>) => {
  const command = [process.execPath, main, ...args].map((part) => `'${part}'`).join(" ")
  const { CI: _ci, NO_COLOR: _no, ...rest } = process.env
  return ended(spawn(script, ["-qec", command, "/dev/null"], { env: { ...rest, TERM: "xterm-256color", ...env } }))
}

const train = "train --data xor --circuit 2,8,8,1 --activation tanh --plan relax:20,backpropagate:20".split(" ")
const escape = "\u001b"
const colour = new RegExp(`${escape}\\[[\\d;]*m`)

describe.skipIf(!found)("terminal", () => {
  it("the bar follows both phases, and the result begins on a clean line", async () => {
    const { code, stdout } = await onTerminal({ NO_COLOR: "1" }, ...train)
    assert.strictEqual(code, 0, stdout)
    assert.include(stdout, "relax [========] 20/20, 0 s left  relaxed ")
    assert.include(stdout, "backpropagate [========] 20/20, 0 s left  free run ")
    assert.notMatch(stdout, colour)
    const cleared = `${escape}[1G${escape}[2K`
    const [, after] = stdout.split(/(?<=free run.*)\n?(?=40 steps in)/)
    assert.match(after!, /^40 steps in/)
    assert.isTrue(stdout.slice(0, stdout.indexOf("40 steps in")).endsWith(cleared), JSON.stringify(stdout))
    // The cursor is shown again, and lines wrap.
    assert.isAbove(stdout.lastIndexOf(`${escape}[?25h`), stdout.lastIndexOf(`${escape}[?25l`))
    assert.isAbove(stdout.lastIndexOf(`${escape}[?7h`), stdout.lastIndexOf(`${escape}[?7l`))
  })

  it("the bar says how long it takes still, in a line that an 80-column terminal shows whole", async () => {
    const { stdout } = await onTerminal({}, ..."train --data moons-100 --circuit 2,50x50,1 --plan relax:300".split(" "))
    const lines = stdout
      .split(`${escape}[1G`)
      .map((line) => line.replaceAll(new RegExp(`${escape}\\[[?\\d;]*\\w`, "g"), ""))
    const bars = lines.filter((line) => line.includes("] "))
    assert.isAbove(bars.length, 4)
    for (const bar of bars) assert.isAtMost(bar.trimEnd().length, 80, bar)
    for (const bar of bars.slice(3)) {
      assert.match(bar, /^relax \[[=-]{8}\] \d+\/300, \d+ s left {2}relaxed [\d.e-]+, free run [\d.e-]+, [\d.]+ %/)
    }
  })

  it("a terminal that cannot move its cursor gets plain lines", async () => {
    const { code, stdout } = await onTerminal({ TERM: "dumb" }, ...train)
    assert.strictEqual(code, 0, stdout)
    assert.notInclude(stdout, escape)
    assert.match(stdout, /\nrelax 20\/20: relaxed loss /)
  })

  it("help is coloured, and is not with NO_COLOR", async () => {
    assert.match((await onTerminal({}, "--help")).stdout, colour)
    assert.notMatch((await onTerminal({ NO_COLOR: "1" }, "--help")).stdout, colour)
  })
})

describe("no terminal", () => {
  it.skipIf(!existsSync("/dev/full"))(
    "output that cannot be written is said in one line; a reader that has read enough is no error",
    async () => {
      const told = spawnSync("sh", ["-c", `'${process.execPath}' '${main}' history --help > /dev/full`], {
        encoding: "utf8"
      })
      assert.strictEqual(told.status, 1)
      assert.match(told.stderr, /^error: expected to write to stdout, but the disk is full; [^\n]+\n$/)
      const read = spawn(process.execPath, [main, "history", "--help"])
      read.stdout.destroy()
      assert.deepStrictEqual(await ended(read), { code: 0, stdout: "", stderr: "" })
    }
  )

  it("progress that cannot be written ends no run", async () => {
    const run = spawn(process.execPath, [main, ...train])
    run.stderr.destroy()
    const { code, stdout } = await ended(run)
    assert.strictEqual(code, 0)
    assert.match(stdout, /^40 steps in/)
  })

  it("plain lines on stderr, results alone on stdout, and nothing of the libraries' own", async () => {
    const { stderr, stdout } = await rai(...train)
    assert.notInclude(stderr + stdout, escape)
    const [start, relaxing, finishing, ...progress] = stderr.trimEnd().split("\n")
    assert.strictEqual(start, "3 maps, pytorch start")
    assert.match(relaxing!, /^relax: at most 20 steps, 2 cuts, /)
    assert.match(finishing!, /^backpropagate: at most 20 steps, /)
    assert.isNotEmpty(progress)
    for (const line of progress) assert.match(line, /^(relax|backpropagate) \d+\/20: .*free-run loss/)
    assert.match(stdout, /^40 steps in/)
  })
})
