import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import * as Arena from "../src/Arena.ts"

/** Allocates arrays of 256 MB in a process that may hold `limit` KiB, until no more fit, and returns what the error says. */
const fill = (limit: number | "unlimited"): string => {
  const code = `import("${fileURLToPath(new URL("../src/Arena.ts", import.meta.url))}").then(({ make }) => {
    const arena = make()
    for (let i = 0; i < 20; i++) arena.array([2 ** 26], "float32")
  }).catch(({ message }) => console.log(message))`
  const { stdout } = spawnSync("sh", ["-c", `ulimit -v ${limit}; exec "$0" -e '${code}'`, process.execPath], {
    encoding: "utf8"
  })
  return stdout.trim()
}

describe("Arena", () => {
  it("holds arrays that do not overlap, and uses what is freed again", () => {
    const arena = Arena.make()
    const [a, b] = [arena.array([3], "float32"), arena.array([5], "float32")]
    assert.isAtLeast(b.address, a.address + 12)
    arena.free(a)
    assert.strictEqual(arena.array([2], "float32").address, a.address)
  })

  it.skipIf(process.platform !== "linux")("says whether it may hold no more, or the system gave no more", () => {
    assert.match(fill("unlimited"), /^expected its arrays to fit into the 4 GiB that this engine holds, but there are/)
    assert.match(fill(4_000_000), /^expected the memory of its arrays to grow to \d+ MB, but the system gave no more;/)
  })
})
