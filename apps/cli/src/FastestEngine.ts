/**
 * The choice behind `--engine auto`: the engine with the fastest steps on this machine, measured once for each shape of circuit, data and phase.
 */
import { availableParallelism, cpus } from "node:os"
import { Archive, Circuit, type Dataset, Plan, version } from "@rai/core"
import * as NativeLibrary from "@rai/core/native"
import { Effect, FileSystem, Option, Path, Schema } from "effect"
import * as Folder from "./Folder.ts"
import * as Report from "./Report.ts"
import * as Speed from "./Speed.ts"

/** Steps per second of each engine, keyed by what was measured. */
const Remembered = Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Finite))

const empty: typeof Remembered.Type = {}

/** Floating-point operations below which the whole plan finishes sooner than the comparison of engines would. */
const little = 5e10

/** Chooses the engine for a plan on a circuit and data. */
export const choose = Effect.fn("FastestEngine.choose")(function* (
  circuit: Circuit.Circuit,
  data: Dataset.Dataset,
  plan: Plan.Plan
) {
  if (operations(circuit, data, plan) < little) return Speed.engines[0]
  const key = shape(circuit, data, plan)
  const known = (yield* remembered)[key]
  if (known !== undefined) return quickest(known)
  const speeds: Record<string, number> = {}
  for (const name of Speed.engines) {
    const speed = yield* Speed.measure(name, circuit, data, plan)
    if (Option.isSome(speed)) speeds[name] = speed.value
  }
  const taken = quickest(speeds)
  yield* remember(key, speeds)
  const others = Object.entries(speeds).map(([name, speed]) => `${name} ${speed.toPrecision(3)}`)
  yield* Report.progress(`engine: ${taken}; steps a second, measured once for this shape: ${others.join(", ")}`)
  return taken
})

const quickest = (speeds: Readonly<Record<string, number>>): Speed.Engine =>
  Speed.engines.reduce((best, name) => ((speeds[name] ?? 0) > (speeds[best] ?? 0) ? name : best))

/** Estimated operations of a plan: 6 per parameter, example and step, two for the forward run and four for the gradients. */
const operations = (circuit: Circuit.Circuit, data: Dataset.Dataset, plan: Plan.Plan): number => {
  const passes = plan.phases.reduce((sum, phase) => sum + (phase.steps ?? phase.epochs), 0)
  return 6 * Circuit.parameterCount(circuit) * data.inputs.shape[0]! * passes
}

/** The cache key: everything that decides how long a step takes. The first phase stands for the plan. */
const shape = (circuit: Circuit.Circuit, data: Dataset.Dataset, plan: Plan.Plan): string => {
  const machine = `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? "unknown"}`
  const { phases } = Speed.first(plan, 1)
  const parameters = Object.entries(Circuit.parameters(circuit)).map(
    ([name, { shape }]) => `${name} ${shape.join("×")}`
  )
  const once = Plan.print(new Plan.Plan({ ...plan, phases }))
  return JSON.stringify([version, process.version, machine, data.inputs.shape, parameters, once])
}

const file = Effect.gen(function* () {
  const path = yield* Path.Path
  return path.join(yield* NativeLibrary.cache, "engines.json")
})

const remembered = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(yield* file)
  return yield* Schema.decodeEffect(Schema.fromJsonString(Remembered))(text)
}).pipe(Effect.orElseSucceed(() => empty))

// A failed write is ignored: the speeds are then measured again next time.
const remember = (key: string, speeds: Readonly<Record<string, number>>) =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const kept = yield* file
    yield* Folder.make(path.dirname(kept))
    const all = { ...(yield* remembered), [key]: speeds }
    yield* Archive.replace(kept, new TextEncoder().encode(JSON.stringify(all, undefined, 2)))
  }).pipe(Effect.ignore)
