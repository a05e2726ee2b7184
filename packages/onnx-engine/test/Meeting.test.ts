import { Worker } from "node:worker_threads"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Meeting from "../src/Meeting.ts"

const threads = 3
const pieces = 8
const turns = 50

/** Thread 1 is always late; each piece of work records who did it, and after each meeting each thread counts the pieces done. */
const side = `
const { workerData: { url, shared, done, counts, number } } = require("node:worker_threads")
const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
import(url).then((Meeting) => {
  const piece = (owner, i) => () => {
    pause(0.2)
    Atomics.add(done, (owner * ${pieces} + i) * ${threads} + number, 1)
  }
  const work = Array.from({ length: ${threads} }, (_, owner) => Array.from({ length: ${pieces} }, (_, i) => piece(owner, i)))
  const together = Meeting.make(shared, number, work)
  for (let turn = 0; turn < ${turns}; turn++) {
    if (number === 1) pause(3)
    together.work()
    together.meet()
    counts[number * ${turns} + turn] = done.reduce((a, b) => a + b)
    together.meet()
  }
})`

const numbers = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length))

describe("a meeting", () => {
  it.effect("comes when every piece of work is done once, by whoever had time", () =>
    Effect.gen(function* () {
      const [shared, done, counts] = [
        Meeting.memory(threads),
        numbers(threads * pieces * threads),
        numbers(threads * turns)
      ]
      const url = new URL("../src/Meeting.ts", import.meta.url).href
      const ended = Array.from({ length: threads }, (_, number) => {
        const worker = new Worker(side, { eval: true, workerData: { url, shared, done, counts, number } })
        return new Promise((resolve, reject) => worker.on("error", reject).on("exit", resolve))
      })
      yield* Effect.promise(() => Promise.all(ended))
      for (let turn = 0; turn < turns; turn++) {
        for (let number = 0; number < threads; number++) {
          assert.strictEqual(counts[number * turns + turn], (turn + 1) * threads * pieces)
        }
      }
      const by = (owner: number, number: number) =>
        Array.from({ length: pieces }, (_, i) => done[(owner * pieces + i) * threads + number]!)
      for (let owner = 0; owner < threads; owner++) {
        const all = Array.from({ length: threads }, (_, number) => by(owner, number))
        for (let i = 0; i < pieces; i++) assert.strictEqual(all[0]![i]! + all[1]![i]! + all[2]![i]!, turns)
      }
      const help = by(1, 0).reduce((a, b) => a + b) + by(1, 2).reduce((a, b) => a + b)
      assert.isAbove(help, turns)
    })
  )
})
