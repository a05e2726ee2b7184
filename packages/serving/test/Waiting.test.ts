import { assert, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import * as Waiting from "../src/batching/Waiting.ts"

const maxRows = 4

/** Makes a request of `rows` rows of `width` numbers; with `together` false it may not be batched with others. */
const request = (rows: number, width: number, together = true) => {
  const input = { name: "x", datatype: "FP32", shape: [rows, width], data: new Float32Array(rows * width) } as const
  return Waiting.request([input], [], together, () => {})
}

const executions = (waiting: Waiting.Waiting): ReadonlyArray<ReadonlyArray<Waiting.Request>> => {
  const taken = []
  for (let batch = waiting.takeBatch(0); batch !== undefined; batch = waiting.takeBatch(0)) taken.push(batch)
  return taken
}

const kind = FastCheck.record({
  rows: FastCheck.integer({ min: 0, max: 6 }),
  width: FastCheck.integer({ min: 1, max: 4 }),
  together: FastCheck.boolean()
})

it("takes each request once, with its like, within the bounds, and knows how many executions there will be", () => {
  FastCheck.assert(
    FastCheck.property(FastCheck.array(kind, { maxLength: 60 }), FastCheck.array(FastCheck.nat()), (kinds, leaving) => {
      const waiting = Waiting.make(maxRows, 1_000)
      const requests = kinds.map(({ rows, width, together }) => request(rows, width, together))
      for (const each of requests) waiting.push(each)
      const left = new Set(requests.length === 0 ? [] : leaving.map((n) => requests[n % requests.length]!))
      for (const each of left) waiting.remove(each)
      const ahead = waiting.executionsAhead()
      const taken = executions(waiting)
      assert.sameMembers(
        taken.flat(),
        requests.filter((each) => !left.has(each))
      )
      for (const batch of taken) {
        const rows = batch.reduce((sum, each) => sum + each.rows, 0)
        assert.isTrue(batch.length === 1 || rows <= maxRows)
        assert.isTrue(batch.length === 1 || batch.every(({ key }) => key !== undefined && key === batch[0]!.key))
        assert.deepStrictEqual(
          batch.map((each) => requests.indexOf(each)),
          batch.map((each) => requests.indexOf(each)).sort((a, b) => a - b)
        )
      }
      const isOpen = taken.some(
        (batch) => batch[0]!.key !== undefined && batch.reduce((sum, { rows }) => sum + rows, 0) < maxRows
      )
      assert.strictEqual(ahead, taken.length - (isOpen ? 1 : 0))
      assert.deepStrictEqual([waiting.count(), waiting.bytes(), waiting.executionsAhead()], [0, 0, 0])
    })
  )
})

it("lets wait only those whose own batch has room", () => {
  const waiting = Waiting.make(maxRows, 1_000)
  const odd = request(1, 1)
  waiting.push(odd)
  assert.isUndefined(waiting.takeBatch(60_000))
  assert.isAbove(waiting.patience(60_000), 50_000)
  const full = Array.from({ length: maxRows }, () => request(1, 2))
  const alone = request(1, 3, false)
  for (const each of [...full, alone]) waiting.push(each)
  assert.strictEqual(waiting.patience(60_000), 0)
  assert.deepStrictEqual(waiting.takeBatch(60_000), full)
  assert.deepStrictEqual(waiting.takeBatch(60_000), [alone])
  assert.isUndefined(waiting.takeBatch(60_000))
  assert.deepStrictEqual(waiting.takeBatch(0), [odd])
})
