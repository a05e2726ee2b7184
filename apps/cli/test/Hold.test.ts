/**
 * A run's folder is held by one process, whatever other processes do with the socket that holds it.
 */
import { createHash } from "node:crypto"
import { realpathSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { ended, folder, heard, start } from "./CommandLine.ts"

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
})
