import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"

const root = new URL("..", import.meta.url)
const sources = readdirSync(new URL("src/", root), { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".ts")
)

const examples = sources.flatMap((file) =>
  [...readFileSync(new URL(`src/${file}`, root), "utf8").matchAll(/^ \* ```ts\n(.*?)^ \* ```$/gms)].map(
    ([, block], i) => ({
      name: `${file} ${i + 1}`,
      code: (block ?? "").replaceAll(/^ \* ?/gm, "")
    })
  )
)

describe("every example in a doc comment runs and prints what it says", () => {
  it.each(examples)("$name", ({ code }) => {
    const printed = execFileSync(process.execPath, ["--input-type=module-typescript", "--eval", code], {
      cwd: root,
      encoding: "utf8"
    })
    const expected = [...code.matchAll(/\/\/ => (.*)$/gm)].map(([, value]) => value)
    assert.isAbove(expected.length, 0)
    assert.deepStrictEqual(printed.trim().split("\n"), expected)
  })
})
