import { assert, describe, it } from "@effect/vitest"
import * as Rates from "../../src/page/browser/Rates.ts"

const counted = (
  version: string,
  { answered = 0, failed = 0, ms = 0, queuedMs = 0, rows = 0, executions = 0, waiting = 0, refused = 0 }
): Rates.Statistics => ({
  name: "moons",
  version,
  inference_count: rows,
  execution_count: executions,
  inference_stats: {
    success: { count: answered, ns: ms * 1e6 },
    fail: { count: failed, ns: 0 },
    queue: { count: answered, ns: queuedMs * 1e6 }
  },
  queue: { waiting, refused }
})

const idle = { answered: 0, failed: 0, refused: 0, latency: undefined, queued: undefined, waiting: 0, batch: undefined }

describe("between", () => {
  it("differences by the second, means by the request and the execution", () => {
    const before = [counted("1", { answered: 100, ms: 1000, queuedMs: 10, rows: 400, executions: 50 })]
    const after = [
      counted("1", {
        ...{ answered: 120, ms: 1040, queuedMs: 15, rows: 480, executions: 60 },
        ...{ failed: 4, refused: 2, waiting: 3 }
      })
    ]
    assert.deepStrictEqual(Rates.between(before, after, 2).get("moons"), {
      ...{ answered: 10, failed: 2, refused: 1 },
      ...{ latency: 2, queued: 0.25, waiting: 3, batch: 8 }
    })
  })

  it("no latency and no batch where nobody asked", () => {
    const still = [counted("1", { answered: 100, ms: 1000, rows: 400, executions: 50 })]
    assert.deepStrictEqual(Rates.between(still, still, 1).get("moons"), idle)
  })

  it("a model's versions are put together, one that is new counting from nothing", () => {
    const before = [counted("1", { answered: 10, ms: 10, rows: 10, executions: 10 })]
    const after = [
      counted("1", { answered: 12, ms: 14, rows: 12, executions: 12, waiting: 1 }),
      counted("2", { answered: 2, ms: 8, rows: 10, executions: 2, waiting: 2 })
    ]
    const { answered, latency, waiting, batch } = Rates.between(before, after, 1).get("moons")!
    assert.deepStrictEqual({ answered, latency, waiting, batch }, { answered: 4, latency: 3, waiting: 3, batch: 3 })
  })

  it("a version that was loaded anew counts from nothing, also where it has caught up in some of its counts", () => {
    const before = [counted("1", { answered: 5, ms: 500, rows: 5, executions: 5 })]
    const after = [counted("1", { answered: 8, ms: 16, rows: 8, executions: 4 })]
    const { answered, latency, batch } = Rates.between(before, after, 1).get("moons")!
    assert.deepStrictEqual({ answered, latency, batch }, { answered: 8, latency: 2, batch: 2 })
  })
})
