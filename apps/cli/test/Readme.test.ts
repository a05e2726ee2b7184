/**
 * Runs the README's commands one after the other in an empty folder.
 */
import { spawn } from "node:child_process"
import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { ended, folder, main } from "./CommandLine.ts"

const repository = fileURLToPath(new URL("../../..", import.meta.url))
const place = folder()

/** Makes CSV text whose rows are computed from their index. */
const csv = (head: string, row: (i: number) => ReadonlyArray<number | string>) =>
  [head, ...Array.from({ length: 60 }, (_, i) => row(i).join())].join("\n")

writeFileSync(
  join(place, "mine.csv"),
  csv("a,b,c,d,kind", (i) => [Math.sin(i), Math.cos(i), i % 3, i / 60, ["ant", "bee", "cat"][i % 3]!])
)
writeFileSync(
  join(place, "points.csv"),
  csv("x1,x2", (i) => [Math.sin(i), Math.cos(i)])
)
copyFileSync(join(repository, "packages/export/test/networks/residual-deep.onnx"), join(place, "model.onnx"))

const [, block] = /## Commands\n\n```sh\n([\s\S]*?)```/.exec(readFileSync(join(repository, "README.md"), "utf8"))!
const commands = block!
  .trimEnd()
  .split("\n")
  .map((line) => /^npm run -s rai -- (.*?)(?: +#.*)?$/.exec(line)![1]!)

/** Commands that do not end by themselves, take minutes, or download a library; each has tests of its own. */
const elsewhere = ["serve .", "experiment gradients", "setup"]

describe("the README's commands", () => {
  it("are tried here or elsewhere", () => assert.includeMembers(commands, elsewhere))

  for (const command of commands.filter((each) => !elsewhere.includes(each))) {
    it(command, async () => {
      const env = { ...process.env, NO_COLOR: "1" }
      const { code, stderr } = await ended(spawn(process.execPath, [main, ...command.split(" ")], { cwd: place, env }))
      assert.strictEqual(code, 0, stderr)
    })
  }
})
