/**
 * Measures training speed in steps per second by running some.
 */
import { type Circuit, type Dataset, type Engine, Plan, Training } from "@rai/core"
import { Clock, Effect, type Layer, Stream } from "effect"

/** Seconds to measure for. */
const long = 0.4

/** Warm-up steps that are not counted, in which programs are prepared. */
const warm = 3

/** The first phase alone, with the given number of steps or epochs and no measurement on the way. */
export const first = (plan: Plan.Plan, length: number): Plan.Plan => {
  const [phase] = plan.phases
  const lasting = phase!.steps === undefined ? { epochs: length } : { steps: length }
  return new Plan.Plan({
    phases: [{ ...phase!, ...lasting, interval: length } as typeof phase & {}],
    said: { ...plan.said, stop: undefined }
  })
}

/** Measures steps per second; `None` where the engine is not available. */
export const measure = <E>(
  layer: Layer.Layer<Engine.Engine, E>,
  circuit: Circuit.Circuit,
  data: Dataset.Dataset,
  plan: Plan.Plan
) =>
  Effect.gen(function* () {
    const times: Array<number> = []
    yield* Training.stream(circuit, data, { plan: first(plan, 10_000), seed: 0 }).pipe(
      Stream.filter((event) => event._tag === "Step"),
      Stream.takeUntilEffect(() =>
        Effect.map(Clock.currentTimeNanos, (now) => {
          times.push(Number(now) / 1e9)
          return times.length > warm + 1 && times.at(-1)! - times[warm]! > long
        })
      ),
      Stream.runDrain
    )
    return (times.length - 1 - warm) / (times.at(-1)! - times[warm]!)
  }).pipe(Effect.provide(layer), Effect.option)
