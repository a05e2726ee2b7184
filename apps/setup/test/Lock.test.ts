import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, beforeEach, describe, it } from "vitest"
import * as Lock from "../src/Lock.mjs"

let folder = ""
const lock = () => join(folder, "set-up.lock")

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"))
  return () => rmSync(folder, { recursive: true })
})

describe("Lock", () => {
  it("lets one work at a time", async () => {
    const order: Array<string> = []
    const work = (name: string) =>
      Lock.hold(async () => {
        order.push(`${name} begins`)
        await new Promise((resume) => setTimeout(resume, 20))
        order.push(`${name} ends`)
      }, folder)
    await Promise.all([work("a"), work("b")])
    assert.deepEqual(order, ["a begins", "a ends", "b begins", "b ends"])
    assert.isFalse(existsSync(lock()))
  })

  it("is given up by a process that is gone", async () => {
    const gone = spawnSync(process.execPath, ["-e", ""]).pid
    writeFileSync(lock(), `${gone}\n`)
    assert.equal(await Lock.hold(async () => "worked", folder), "worked")
  })

  it("is nobody's when it is old, whoever has the number of its process now", async () => {
    writeFileSync(lock(), `${process.pid}\n`)
    utimesSync(lock(), new Date(0), new Date(0))
    assert.equal(await Lock.hold(async () => "worked", folder), "worked")
  })
})
