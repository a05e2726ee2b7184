/**
 * The memory that a training run needs, and that there is.
 */
import { totalmem } from "node:os"
import { type Circuit, type Dataset, Footprint, type Plan } from "@rai/core"
import { Effect } from "effect"
import * as Report from "./Report.ts"

/** Memory in bytes that the plan's most demanding phase needs on the data. */
export const needed = Effect.fnUntraced(function* (
  circuit: Circuit.Circuit,
  { inputs, targets, task }: Dataset.Dataset,
  plan: Plan.Plan
) {
  const subject = { circuit, task, x: inputs.shape, y: targets.shape }
  const sizes = yield* Effect.forEach(plan.phases, (phase) => Footprint.of(subject, phase))
  return Math.max(...sizes.map(({ memory }) => memory))
})

/** Memory in bytes that there is: the machine's, or the container's limit. */
export const available = (): number => Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)

/** A warning line where a run would not fit in memory. */
export const warning = (memory: number): ReadonlyArray<string> => {
  const here = available()
  return memory <= here
    ? []
    : [
        `warning: training holds about ${Report.bytes(memory)}, more than the ${Report.bytes(here)} of memory here; use batches, fewer cuts or a smaller circuit`
      ]
}
