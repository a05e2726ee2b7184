/**
 * Measures training speed in steps per second by running some.
 */
import { type Circuit, type Dataset, Plan, Training } from "@rai/core"
import { Clock, Effect, Stream } from "effect"
import * as EngineChoice from "./EngineChoice.ts"

/** The engines that may be the fastest: the others are always slower. */
export const engines = ["onnx", "tfjs-native"] as const

/** One of these engines. */
export type Engine = (typeof engines)[number]

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
export const measure = (engine: EngineChoice.Name, circuit: Circuit.Circuit, data: Dataset.Dataset, plan: Plan.Plan) =>
  Effect.gen(function* () {
    const times: Array<number> = []
    yield* Training.stream(circuit, data, { plan: first(plan, 10_000), seed: 0 }).pipe(
      Stream.filter((event) => event._tag === "Step"),
      Stream.takeUntilEffect(() =>
        Effect.map(Clock.monotonicTimeNanos, (now) => {
          times.push(Number(now) / 1e9)
          return times.length > warm + 1 && times.at(-1)! - times[warm]! > long
        })
      ),
      Stream.runDrain
    )
    return (times.length - 1 - warm) / (times.at(-1)! - times[warm]!)
  }).pipe(Effect.provide(EngineChoice.on(engine)), Effect.option)
