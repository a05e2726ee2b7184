import { spawnSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { beforeAll, describe, expect, test } from "@effect/vitest"
import * as Blocks from "./Blocks.ts"

const root = join(import.meta.dirname, "../../..")
const folder = join(import.meta.dirname, "../.examples") // inside this app, so that its dependencies resolve
const blocks = Blocks.find(root)
const fileOf = ({ place }: Blocks.Block): string => join(folder, `${place.replaceAll(/[^\w]+/g, "-")}.ts`)

const tsconfig = {
  extends: "../../../tsconfig.base.json",
  compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
  files: blocks.map(fileOf) // a pattern would pass over a folder whose name begins with a dot
}

/** A script that imports modules one after the other in one process and prints the error of each that failed. */
const runner = `
const failures = {}
for (const file of process.argv.slice(2)) {
  try { await import(file) } catch (error) { failures[file] = String(error?.stack ?? error) }
}
console.log("\\n" + JSON.stringify(failures))
`

const node = (folder: string, ...parameters: ReadonlyArray<string>) =>
  spawnSync(process.execPath, parameters, { cwd: folder, encoding: "utf8", timeout: 60_000 })

describe("every example of the documentation", () => {
  const [endless, ending] = [blocks.filter(Blocks.neverEnds), blocks.filter((block) => !Blocks.neverEnds(block))]
  const together = ending.filter((block) => !Blocks.isMain(block))
  let failures: Readonly<Record<string, string>> = {}
  let compiled = ""

  beforeAll(() => {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
    writeFileSync(join(folder, "runner.mjs"), runner)
    for (const block of blocks) writeFileSync(fileOf(block), Blocks.toModule(block))
    const tsc = join(root, "node_modules/.bin/tsc")
    compiled = spawnSync(tsc, ["--project", folder], { encoding: "utf8" }).stdout
    const ran = node(folder, "runner.mjs", ...together.map(fileOf))
    expect(ran.status, ran.stderr).toBe(0)
    failures = JSON.parse(ran.stdout.trimEnd().split("\n").at(-1)!)
  })

  test("passes the compiler", () => expect(compiled).toBe(""))

  for (const block of together) test(block.place, () => expect(failures[fileOf(block)]).toBeUndefined())

  for (const block of ending.filter(Blocks.isMain)) {
    test(block.place, () => {
      const ran = node(folder, fileOf(block))
      expect(ran.status, ran.stderr).toBe(0)
    })
  }

  for (const block of endless) {
    test(`${block.place} serves until it is stopped, so it is compiled only`, () =>
      expect(compiled).not.toContain(basename(fileOf(block))))
  }
})

describe("an example as a module", () => {
  const page = [
    "```ts",
    "const two = 1 + 1 // => 2",
    "Math.max(",
    "  two,",
    "  3",
    ") // => 3",
    "```",
    "```sh",
    "ls",
    "```"
  ]
  const [block, ...others] = Blocks.inText("page.md", page.join("\n"))

  test("asserts what stands behind // =>", () => {
    expect(others).toEqual([])
    expect(block?.place).toBe("page.md:1")
    const lines = Blocks.toModule(block!).trimEnd().split("\n").slice(-6)
    expect(lines).toEqual(["const two = 1 + 1", "equal(two, 2)", "equal(Math.max(", "  two,", "  3", "), 3)"])
  })

  test("takes a value on a line of its own for the line above", () => {
    const lines = Blocks.toModule({ place: "", code: "[1, 2].map((n) => 2 * n)\n// => [2, 4]" }).trimEnd()
    expect(lines).toContain("\nequal([1, 2].map((n) => 2 * n), [2, 4])")
  })

  test("fails where the value is another", () => {
    const wrong = Blocks.toModule({ place: "", code: "[1, 2].length // => 3" })
    expect(node(import.meta.dirname, "--input-type=module-typescript", "--eval", wrong).stderr).toContain(
      "AssertionError"
    )
  })

  test("holds what console.log prints", () => {
    const printed = Blocks.toModule({ place: "", code: "console.log([1, 2]) // => [ 1, 2 ]" })
    expect(node(import.meta.dirname, "--input-type=module-typescript", "--eval", printed).status).toBe(0)
  })
})
