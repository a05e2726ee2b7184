/**
 * `rai train`: data and a circuit in, a trained circuit out.
 */
import { type Circuit, type Dataset, Plan, TargetUnit, Training, Warnings } from "@rai/core"
import { Effect, Option, Path } from "effect"
import { Command } from "effect/cli"
import * as Digests from "./Digests.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as FastestEngine from "./FastestEngine.ts"
import * as Folder from "./Folder.ts"
import * as Hold from "./Hold.ts"
import * as Memory from "./Memory.ts"
import * as Report from "./Report.ts"
import * as Run from "./Run.ts"
import * as RunFolder from "./RunFolder.ts"
import * as Seeds from "./Seeds.ts"
import * as Settings from "./Settings.ts"
import * as Summary from "./Summary.ts"
import { flags, type Given, inRun } from "./TrainFlags.ts"
import * as TrainingData from "./TrainingData.ts"
import * as TrainSettings from "./TrainSettings.ts"
import { UsageWrong } from "./UsageWrong.ts"

/** The command. */
export const command = Command.make("train", flags, (given) => train(given)).pipe(
  Command.withExamples([
    { command: "rai train --data moons-100 --circuit 2,100x100,1 --out runs/moons", description: "the paper's circuit" }
  ])
)

const train = Effect.fn("train")(function* (given: Given) {
  const seeds = Option.isNone(given.seeds) ? undefined : yield* Seeds.parse(given.seeds.value)
  const folder = Option.getOrUndefined(given.out)
  if (seeds !== undefined && Option.isSome(given.seed)) {
    return yield* new UsageWrong({ expected: "--seed or --seeds", came: "both came", advice: "leave one out" })
  }
  if (given.resume && folder === undefined) {
    const advice = "name the run's folder with --out"
    return yield* new UsageWrong({ expected: "a run to resume", came: "--resume came without --out", advice })
  }
  const summaries: Array<Summary.Summary> = []
  if (seeds !== undefined && folder !== undefined && !given.resume) yield* RunFolder.vacant(folder)
  const ofSeed = (seed: number | undefined) =>
    folder === undefined || seed === undefined ? folder : `${folder}/seed-${seed}`
  const sibling =
    given.resume && seeds !== undefined ? yield* firstBegun(seeds.map((seed) => ofSeed(seed)!)) : undefined
  for (const seed of seeds ?? [undefined]) {
    const name = seeds === undefined ? "" : `seed ${seed}`
    summaries.push(yield* trainOne(given, { seed, folder: ofSeed(seed), name, sibling }))
  }
  const [first] = summaries
  if (seeds === undefined) return yield* Report.result(given.json, first, Summary.lines(first!))
  yield* Report.result(given.json, { runs: summaries, ...Seeds.summary(summaries) }, Seeds.lines(summaries))
})

/** The settings of the first of several runs that was started. */
const firstBegun = Effect.fnUntraced(function* (folders: ReadonlyArray<string>) {
  for (const folder of folders) if (yield* RunFolder.isBegun(folder)) return yield* RunFolder.settings(folder)
  return undefined
})

/** One of the requested runs. */
interface Asked {
  readonly seed: number | undefined
  readonly folder: string | undefined
  /** The run's name in progress lines; empty for a single run. */
  readonly name: string
  /** The settings of another of the runs that was already started. */
  readonly sibling: Settings.Settings | undefined
}

/** Carries one of the runs out, or goes on with it, or finds it finished. */
const trainOne = Effect.fnUntraced(function* (given: Given, { folder, name, seed, sibling }: Asked) {
  if (folder !== undefined) yield* Hold.folder(folder)
  // Where several runs were interrupted, the later ones were not started: they take their sibling's settings.
  const begun = given.resume && folder !== undefined && (sibling === undefined || (yield* RunFolder.isBegun(folder)))
  const inherited = sibling === undefined ? undefined : new Settings.Settings({ ...sibling, seed: seed! })
  const saved = begun ? yield* RunFolder.settings(folder) : inherited
  const settings = yield* TrainSettings.of(given, seed, saved)
  const done = begun ? yield* finishedBefore(folder) : undefined
  const isCompared = settings.compare !== true || done?.backpropagation !== undefined
  if (done !== undefined && isCompared) return done
  // Report mistakes before loading an engine and making a folder.
  const { digests: digested, ...data } = yield* TrainingData.of(settings)
  // A run that keeps nothing need not know its data again.
  const digests = folder === undefined ? undefined : digested()
  if (digests !== undefined) yield* Digests.unchanged(settings, digests)
  const circuit = yield* Settings.circuit(settings, data.train.task)
  const plan = yield* Settings.plan(settings, circuit)
  if (saved === undefined) yield* Settings.checkEffect(settings, circuit, plan)
  yield* Training.check(circuit, data.train, plan, data.validation)
  if (folder !== undefined && !begun) yield* RunFolder.vacant(folder)
  const tensorboard = yield* tensorboardOf(settings, folder, name !== "")
  if (settings.tensorboard !== inRun && tensorboard !== undefined) yield* Folder.make(tensorboard)
  yield* Effect.forEach(Memory.warning(yield* Memory.needed(circuit, data.train, plan)), Report.notice)
  // The chosen engine is saved, so that a resumed run continues on it.
  const engine = yield* engineOf(settings, circuit, data.train, plan)
  const path = yield* Path.Path
  return yield* Effect.gen(function* () {
    const taken = new Settings.Settings({ ...settings, engine, digests })
    if (folder !== undefined && !begun) yield* RunFolder.create(folder, taken)
    yield* Effect.forEach(notices(circuit, data.train, plan), Report.notice)
    if ("parts" in data) yield* Report.notice(inParts(data.parts.sizes))
    const run = { circuit, plan, seed: settings.seed, ...data, folder, tensorboard, resume: begun, name }
    const summary = done ?? (yield* Run.carryOut(run)).summary
    if (settings.compare !== true) return summary
    const alone = {
      ...run,
      plan: Settings.control(settings, plan, circuit),
      folder: undefined,
      tensorboard: tensorboard && path.join(tensorboard, "backpropagation-alone"),
      name: "backpropagation alone",
      ...(folder === undefined ? {} : { left: Run.goOn })
    }
    const compared = { ...summary, backpropagation: (yield* Run.carryOut(alone)).summary }
    if (folder !== undefined) yield* RunFolder.summarise(folder, compared)
    return compared
  }).pipe(Effect.provide(EngineChoice.on(engine, settings.device)))
}, Effect.scoped)

/** The engine that the settings name, or the fastest. */
const engineOf = (
  { device, engine }: Settings.Settings,
  circuit: Circuit.Circuit,
  train: Dataset.Dataset,
  plan: Plan.Plan
) => {
  if (engine !== "auto") return Effect.succeed(engine)
  return device === "cuda" ? Effect.succeed("onnx" as const) : FastestEngine.choose(circuit, train, plan)
}

/** What to know before a run: what the plan does, in which unit, and what looks suspicious about the data. */
const notices = (circuit: Circuit.Circuit, train: Dataset.Dataset, plan: Plan.Plan): ReadonlyArray<string> => [
  ...Plan.describe(plan, circuit, train.task),
  ...TargetUnit.describe(circuit, plan, train),
  ...Warnings.of(train).map(({ message }) => `warning: ${message}`)
]

/** A note that statements about the training data are based on the first part alone. */
const inParts = (sizes: ReadonlyArray<number>): string =>
  `the data are read in ${sizes.length === 1 ? "one part" : `${sizes.length} parts`}: what is said of the training data is of the first ${sizes[0]} examples, which are to be as mixed as the others`

/** The folder for a run's event files; TensorBoard treats each folder as a separate run. */
const tensorboardOf = Effect.fnUntraced(function* (
  { seed, tensorboard }: Settings.Settings,
  folder: string | undefined,
  isOneOfMany: boolean
) {
  const path = yield* Path.Path
  if (tensorboard === undefined) return undefined
  if (tensorboard !== inRun) return isOneOfMany ? path.join(tensorboard, `seed-${seed}`) : tensorboard
  if (folder !== undefined) return path.join(folder, "tensorboard")
  const advice = "name one, as in --tensorboard runs/events, or keep the run with --out"
  return yield* new UsageWrong({ expected: "a folder for event files", came: "--tensorboard came without one", advice })
})

/** The summary of a run that is finished already, undefined where it is not. */
const finishedBefore = (folder: string) =>
  Effect.tap(RunFolder.summary(folder), (summary) =>
    summary === undefined ? Effect.void : Report.progress(`the run in ${folder} is finished already`)
  )
