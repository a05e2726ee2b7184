/**
 * A run's folder is held by one process, whatever other processes do with the socket that holds it.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { realpathSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { ended, folder, heard, rai, start } from "./CommandLine.ts"

/** The name of the socket that holds the folder `run` in `place`. */
const addressOf = (place: string) =>
  `\0rai-${createHash("sha256")
    .update(join(realpathSync(place), "run"))
    .digest("hex")
    .slice(0, 24)}`

const small = "train --data moons-100 --circuit 2,32x10,1 --plan relax:300 --engine onnx".split(" ")

describe.skipIf(process.platform !== "linux")("a run's folder", () => {
  it("is let go at the run's end, also where another process stays connected", async () => {
    const place = folder()
    const child = start(...small, "--out", join(place, "run"))
    const over = ended(child)
    await heard(child, "0/300")
    // Half open: it does not close where the other end does.
    const guest = connect({ path: addressOf(place), allowHalfOpen: true })
    const said = await new Promise((resolve) => guest.once("data", (bytes) => resolve(String(bytes))))
    assert.strictEqual(said, String(child.pid))
    const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 20_000))
    const outcome = await Promise.race([over, late])
    guest.destroy()
    child.kill("SIGKILL")
    assert.strictEqual(outcome?.code, 0, outcome?.stderr ?? "it has not ended")
  })
  it("is left to a holder that is too busy to be asked", async () => {
    const place = folder()
    const address = addressOf(place)
    // It listens, and then accepts nobody.
    const source = `require("node:net").createServer().listen({ path: ${JSON.stringify(address)}, backlog: 1 }, () => {
      console.error("listens")
      setImmediate(() => { for (;;); })
    })`
    const holder = spawn(process.execPath, ["-e", source])
    await heard(holder, "listens")
    const guests: Array<Socket> = []
    const isRefused = () =>
      new Promise<boolean>((resolve) => {
        const guest = connect(address, () => resolve(false)).once("error", () => resolve(true))
        guests.push(guest)
      })
    while (!(await isRefused())) assert.isBelow(guests.length, 10)
    const { code, stderr } = await rai(...small, "--out", join(place, "run"))
    for (const guest of guests) guest.destroy()
    holder.kill("SIGKILL")
    assert.strictEqual(code, 1)
    assert.match(stderr, /error: expected one process at a time in .*run, but another one is at work there; wait/)
  })
})
