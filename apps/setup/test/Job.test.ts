import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { root } from "../src/Repository.mjs"

describe.skipIf(process.platform === "win32")("Job", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "npm that is told %s to end ends the run it began, which is saved",
    async (signal) => {
      const folder = mkdtempSync(join(tmpdir(), "job "))
      const run = "train --data moons-100 --circuit 2,8,8,1 --plan relax:1000000:rprop=0.001 --engine tfjs-wasm --out"
      // In a process group of its own, so that npm alone gets the signal, as from a supervisor.
      const npm = spawn("npm", ["run", "-s", "rai", "--", ...run.split(" "), join(folder, "run")], {
        cwd: root,
        detached: true,
        stdio: ["ignore", "ignore", "pipe"]
      })
      let stderr = ""
      const ended = new Promise((resolve) => npm.on("close", resolve))
      await new Promise<void>((resolve) => {
        npm.stderr.on("data", (bytes) => {
          stderr += bytes
          if (stderr.includes(" 0/1000000")) resolve()
        })
      })
      npm.kill(signal)
      // The pipe closes when the last process that writes to it is gone.
      assert.strictEqual(await ended, 130, stderr)
      assert.match(stderr, /\ninterrupted; the same command with --resume goes on from here\n/)
      const checkpoint = JSON.parse(readFileSync(join(folder, "run", "checkpoint.json"), "utf8"))
      assert.isTrue(existsSync(join(folder, "run", checkpoint.arrays.file)))
      rmSync(folder, { recursive: true })
    }
  )
})
