import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, beforeEach, describe, it } from "vitest"
import * as Results from "../src/Results.mjs"

let root = ""

/** Makes a package with a test script and the results that vitest would have left. */
const write = (name: string, results?: ReadonlyArray<unknown>) => {
  const folder = join(root, "packages", name)
  mkdirSync(join(folder, ".results"), { recursive: true })
  writeFileSync(join(folder, "package.json"), JSON.stringify({ scripts: { test: "vitest run" } }))
  if (results !== undefined) {
    writeFileSync(join(folder, ".results", "tests.json"), JSON.stringify({ testResults: results }))
  }
}
const file = (assertionResults: ReadonlyArray<object>, rest: object = {}) => ({
  name: join(root, "packages", "x", "test", "X.test.ts"),
  status: "passed",
  assertionResults,
  ...rest
})

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "results-"))
  mkdirSync(join(root, "apps"))
  return () => rmSync(root, { recursive: true })
})

describe("Results", () => {
  it("sums what the packages passed and failed, and names the failures", () => {
    write("a", [
      file([
        { fullName: "one", status: "passed" },
        { fullName: "two", status: "skipped" }
      ])
    ])
    const failure = { fullName: "three", status: "failed", failureMessages: ["expected 1, but 2 came"] }
    write("b", [file([failure, { fullName: "four", status: "passed" }], { status: "failed" })])
    const { passed, failed, failures } = Results.collect(root)
    assert.deepEqual({ passed, failed }, { passed: 2, failed: 1 })
    assert.include(failures.join(), "packages/x/test/X.test.ts › three\n    expected 1, but 2 came")
  })

  it("counts a package without results, one without tests, and a file that does not load as failed", () => {
    write("a")
    write("b", [])
    write("c", [file([], { status: "failed", message: "cannot find ./Y.ts" })])
    const { passed, failed, failures } = Results.collect(root)
    assert.deepEqual({ passed, failed }, { passed: 0, failed: 3 })
    assert.include(failures.join(), "packages/a: no results")
    assert.include(failures.join(), "cannot find ./Y.ts")
  })

  it("does not count what an earlier run left", () => {
    write("a", [file([{ fullName: "one", status: "passed" }])])
    Results.clear(root)
    assert.deepEqual(Results.collect(root).passed, 0)
  })
})
