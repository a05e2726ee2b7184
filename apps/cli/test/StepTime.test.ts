/**
 * A step that is timed for a prediction is a small one.
 */
import { Circuit, Footprint, Plan } from "@rai/core"
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import * as Memory from "../src/Memory.ts"
import * as StepTime from "../src/StepTime.ts"

const circuit = Circuit.perceptron([100, 1])
const [phase] = Plan.backpropagate({ steps: 1 }).phases

const cost = (examples: number) =>
  Effect.runSync(Effect.flatMap(StepTime.subject(circuit, examples), (subject) => Footprint.of(subject, phase!)))

describe("the examples that are timed", () => {
  it("hold little of the memory, however many there are", () => {
    const bytes = Memory.available() / 4
    for (const examples of [1e7, 1e9, 1e12]) {
      const timed = StepTime.within(examples, cost(examples))
      assert.isAtLeast(timed, 32)
      assert.isAtMost(cost(timed).memory, 1.01 * bytes)
      assert.isAtMost(cost(timed).flops, 1.01 * 8e9)
      assert.isAtLeast(cost(2 * timed).memory / bytes + cost(2 * timed).flops / 8e9, 1)
    }
  })

  it("are all of them where those are few", () => {
    assert.strictEqual(StepTime.within(1000, cost(1000)), 1000)
  })
})
