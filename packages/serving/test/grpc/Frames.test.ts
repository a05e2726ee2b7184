import { assert, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Frames, frame } from "../../src/grpc/Frames.ts"

it("messages are the same however their bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(frame))
        const frames = new Frames()
        const read: Array<Uint8Array> = []
        for (let at = 0, i = 0; at < bytes.length; at += cuts[i++ % cuts.length]!) {
          frames.add(bytes.subarray(at, at + cuts[i % cuts.length]!))
          for (let next = frames.take(40); next !== undefined; next = frames.take(40)) {
            assert.notStrictEqual(next, "large")
            if (next !== "large") read.push(next.bytes)
          }
        }
        assert.deepStrictEqual(
          read.map((each) => [...each]),
          messages.map((each) => [...each])
        )
        assert.deepStrictEqual([frames.isEmpty, frames.cost], [true, 0])
      }
    )
  )
})

it("a message is too large as soon as its length says so", () => {
  const frames = new Frames()
  frames.add(frame(new Uint8Array(100)).subarray(0, 5))
  assert.strictEqual(frames.take(99), "large")
  assert.strictEqual(frames.take(100), undefined)
})
