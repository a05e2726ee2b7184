/**
 * A step that is timed for a prediction is a small one.
 */
import { Circuit, Footprint, Plan } from "@rai/core"
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import * as Memory from "../src/Memory.ts"
import * as StepTime from "../src/StepTime.ts"

// A wide map takes its time to compute, narrow ones to move what they are given.
const circuits = [Circuit.perceptron([100, 1]), Circuit.perceptron([2, ...Array<number>(10).fill(10), 1])]
const phases = [...Plan.relax({ steps: 1 }).phases, ...Plan.backpropagate({ steps: 1 }).phases]

const cost = (circuit: Circuit.Circuit, phase: (typeof phases)[number], examples: number) =>
  Effect.runSync(Effect.flatMap(StepTime.subject(circuit, examples), (subject) => Footprint.of(subject, phase)))

describe("the examples that are timed", () => {
  it("take little time and memory, however many there are", () => {
    const most = { memory: Memory.available() / 4, flops: 8e9, bytes: 2e9 }
    const keys = ["memory", "flops", "bytes"] as const
    for (const circuit of circuits) {
      for (const phase of phases) {
        for (const examples of [1.6e7, 1e9, 1e12]) {
          const timed = StepTime.within(examples, cost(circuit, phase, examples))
          assert.isAtLeast(timed, 32)
          const shares = keys.map((key) => cost(circuit, phase, timed)[key] / most[key])
          for (const share of shares) assert.isAtMost(share, 1.01)
          assert.isAtLeast(Math.max(...shares), 0.5)
        }
      }
    }
  })

  it("are all of them where those are few", () => {
    for (const circuit of circuits) {
      for (const phase of phases) assert.strictEqual(StepTime.within(1000, cost(circuit, phase, 1000)), 1000)
    }
  })
})
