import { assert, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import * as Waiting from "../src/batching/Waiting.ts"

const maxRows = 4

/** A row so wide; where it may not go with others, alone. */
const row = (width: number, together = true) => {
  const input = { name: "x", datatype: "FP32", shape: [1, width], data: new Float32Array(width) } as const
  return Waiting.request([input], [], together, () => {})
}

const executions = (waiting: ReturnType<typeof Waiting.make>): number => {
  let count = 0
  for (; waiting.count() > 0; count++) waiting.takeBatch()
  return count
}

it("says how many executions are ahead of the next request, also where not all may go together", () => {
  const widths = FastCheck.array(FastCheck.integer({ min: 0, max: 5 }), { maxLength: 60 })
  FastCheck.assert(
    FastCheck.property(widths, FastCheck.array(FastCheck.nat()), (widths, leaving) => {
      const waiting = Waiting.make(maxRows, 1_000)
      // Those of no width stand for what goes alone.
      const requests = widths.map((width) => row(width, width > 0))
      for (const request of requests) waiting.push(request)
      const left = new Set(leaving.map((n) => requests[n % requests.length]))
      for (const request of left) if (request !== undefined) waiting.remove(request)
      const stay = requests.filter((request) => !left.has(request))
      const notFull = widths.find(
        (width) => width > 0 && stay.filter(({ inputs }) => inputs[0]!.shape[1] === width).length % maxRows > 0
      )
      const ahead = waiting.executionsAhead()
      waiting.push(row(notFull ?? 1))
      assert.strictEqual(executions(waiting), ahead + 1)
      assert.strictEqual(waiting.bytes(), 0)
      assert.strictEqual(waiting.executionsAhead(), 0)
    })
  )
})

it("lets the oldest wait while its own batch has room", () => {
  const waiting = Waiting.make(maxRows, 1_000)
  for (const width of [1, 2, 2, 2, 2, 2]) waiting.push(row(width))
  assert.isAbove(waiting.patience(60_000), 50_000)
  waiting.takeBatch()
  assert.strictEqual(waiting.patience(60_000), 0)
  waiting.takeBatch()
  waiting.takeBatch()
  waiting.push(row(1, false))
  assert.strictEqual(waiting.patience(60_000), 0)
})
