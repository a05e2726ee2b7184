import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"

it.live.skipIf(process.platform !== "linux" || process.arch !== "x64")(
  "TensorFlow's library computes on while signals are handled",
  () =>
    Effect.promise(async () => {
      const child = spawn(process.execPath, [fileURLToPath(new URL("signalled.ts", import.meta.url))], {
        stdio: ["ignore", "pipe", "pipe"]
      })
      let said = ""
      let errors = ""
      child.stdout.on("data", (text) => {
        said += text
      })
      child.stderr.on("data", (text) => {
        errors += text
      })
      const ended = once(child, "exit")
      while (!said.includes("begun") && child.exitCode === null) await new Promise((next) => setTimeout(next, 10))
      let sent = 0
      while (!said.includes("done") && child.exitCode === null && child.signalCode === null) {
        for (let i = 0; i < 20; i++) child.kill("SIGUSR2")
        sent += 20
        await new Promise((next) => setTimeout(next, 1))
      }
      assert.deepStrictEqual([await ended, errors], [[0, null], ""])
      assert.isAbove(sent, 1000)
    })
)
