import { afterEach, assert, beforeEach, describe, it, vi } from "vitest"
import * as Progress from "../src/Progress.mjs"

const shown = (isTTY: boolean) => {
  let text = ""
  const line = Progress.make("packages", { isTTY, write: (part: string) => (text += part) })
  for (const fraction of [0, 0.005, 0.1, 0.25, 0.3, 1]) line.at(fraction)
  line.end()
  return text
}

describe("Progress", () => {
  beforeEach(() => void vi.stubEnv("TERM", "xterm"))
  afterEach(() => void vi.unstubAllEnvs())

  it("writes plain lines at each fifth where there is no terminal", () => {
    assert.equal(shown(false), "packages …\npackages … 20 %\npackages … 100 %\n")
  })

  it("writes plain lines on a terminal that cannot move its cursor", () => {
    vi.stubEnv("TERM", "dumb")
    assert.equal(shown(true), shown(false))
  })

  it("rewrites one line on a terminal", () => {
    assert.equal(shown(true).match(/\n/g)?.length, 1)
    assert.include(shown(true), "\rpackages … 10 %")
  })
})
