/**
 * `rai train`: data and a circuit in, a trained circuit out.
 */
import { Plan, Pseudorandom, Training, Warnings } from "@rai/core"
import { EventFile } from "@rai/tensorboard"
import { Effect, FileSystem, Option, Path, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { CommandFailed } from "./CommandFailed.ts"
import * as Cost from "./Cost.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as Evaluate from "./Evaluate.ts"
import * as FastestEngine from "./FastestEngine.ts"
import * as Report from "./Report.ts"
import * as Run from "./Run.ts"
import * as RunFolder from "./RunFolder.ts"
import * as Seeds from "./Seeds.ts"
import * as Settings from "./Settings.ts"
import { atLeastOne, UsageWrong } from "./UsageWrong.ts"

const describe = <A>(flag: Flag.Flag<A>, text: string) => flag.pipe(Flag.withDescription(text), Flag.optional)

/** What `--tensorboard` holds where no folder is named: event files then lie in the run's own. */
const inRun = ""

const flags = {
  data: describe(
    Flag.String("data"),
    "moons-100, moons, circles, spirals, blobs, xor, checkerboard, digits, with settings as in moons:n=1000,noise=0.1,seed=7; or a .csv, .npy or IDX file (MNIST's), plain or .gz"
  ),
  circuit: describe(
    Flag.String("circuit"),
    "widths, as in 2,100x100,1: a hundred hidden layers of 100 units; or a circuit in a .json file, as a run keeps it; or an ONNX model or a layers-model of TensorFlow.js, from whose own weights training starts"
  ),
  activation: describe(Flag.Literals("activation", Settings.activations), "the hidden activation function; sigmoid"),
  residual: Flag.Boolean("residual").pipe(
    Flag.withDescription("put a way around each hidden stage of equal widths: z + f(z)"),
    Flag.withDefault(false)
  ),
  plan: describe(Flag.String("plan"), "auto, or phases as in relax:250:rprop=0.1,backpropagate:400:rprop=0.001; auto"),
  cutAfter: describe(
    Flag.String("cut-after"),
    "after which blocks or operators to relax, as in linear, tanh or Gemm,MatMul; what the plan says"
  ),
  start: describe(Flag.Literals("start", Settings.starts), "where weights start; auto leaves it to the plan"),
  batch: describe(Flag.Int("batch"), "train in batches of so many examples; 64 where --epochs is given"),
  epochs: describe(Flag.Int("epochs"), "passes over the data in batches; 40 where --batch is given"),
  validation: describe(
    Flag.String("validation"),
    "data that decide which parameters are the best, or a share of the training data, as in 0.2"
  ),
  patience: describe(
    Flag.Int("patience"),
    "end a phase, with the best parameters, after so many steps or epochs without a better free run"
  ),
  seed: describe(Flag.Int("seed"), "decides the initial weights; 0"),
  seeds: describe(Flag.String("seeds"), "several runs, as in 0-9 or 0,2,5"),
  engine: describe(
    Flag.Literals("engine", EngineChoice.names),
    "what computes; auto takes the fastest that works here"
  ),
  device: describe(
    Flag.Literals("device", EngineChoice.devices),
    "where the onnx engine computes: cpu, or cuda where onnxruntime's CUDA provider is set up; cpu"
  ),
  test: describe(Flag.String("test"), "data to score on, or a share of the data to keep aside, as in 0.2"),
  label: describe(Flag.String("label"), "the label's column of a file; the last one"),
  labels: describe(Flag.String("labels"), "the file of the labels of an .npy or IDX file; the one that is named alike"),
  task: describe(
    Flag.Literals("task", ["binary", "classes", "regression"]),
    "what the label means, where it is not plain"
  ),
  categorical: describe(
    Flag.String("categorical"),
    "the columns of a file that hold categories, as in colour,size: each category becomes an input"
  ),
  missing: describe(
    Flag.Literals("missing", ["error", "drop", "mean", "median"]),
    "missing values: an error, drop their examples, or fill in the training data's mean or median (of categories the most frequent); error"
  ),
  standardise: Flag.Boolean("standardise").pipe(
    Flag.withDescription("give each column of numbers mean 0 and deviation 1, as learned from the training data"),
    Flag.withDefault(false)
  ),
  unseen: describe(
    Flag.Literals("unseen", ["error", "zeros"]),
    "a category that the training data lack: an error, or zeros; error"
  ),
  stopLoss: describe(Flag.Finite("stop-loss"), "end the run once the free-run training loss is below this"),
  out: describe(Flag.String("out"), "the folder that keeps checkpoint, metrics, summary, circuit and plots"),
  tensorboard: describe(
    Flag.withOptionalValue(Flag.String("tensorboard"), inRun),
    "event files that TensorBoard opens, in this folder, or in the run's own"
  ),
  resume: Flag.Boolean("resume").pipe(
    Flag.withDescription("go on with the run in --out, with the settings it began with"),
    Flag.withDefault(false)
  ),
  compare: Flag.Boolean("compare").pipe(
    Flag.withDescription("also backpropagate alone from the same start, and print both in a table"),
    Flag.withDefault(false)
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("the last line of stdout is one JSON object"),
    Flag.withDefault(false)
  )
}

type Given = Command.Command.Config.Infer<typeof flags>

/** The command. */
export const command = Command.make("train", flags, (given) => train(given)).pipe(
  Command.withDescription("Train a circuit with Relaxed Activation Identity, backpropagation, or both in turn"),
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
  const summaries: Array<Run.Summary> = []
  if (seeds !== undefined && folder !== undefined && !given.resume) yield* RunFolder.vacant(folder)
  const ofSeed = (seed: number | undefined) =>
    folder === undefined || seed === undefined ? folder : `${folder}/seed-${seed}`
  const sibling =
    given.resume && seeds !== undefined ? yield* firstBegun(seeds.map((seed) => ofSeed(seed)!)) : undefined
  for (const seed of seeds ?? [undefined]) {
    summaries.push(yield* one(given, seed, ofSeed(seed), seeds === undefined ? "" : `seed ${seed}`, sibling))
  }
  const [first] = summaries
  if (seeds === undefined) return yield* Report.result(given.json, first, lines(first!))
  yield* Report.result(given.json, { runs: summaries, ...Seeds.summary(summaries) }, Seeds.lines(summaries))
})

/** The settings of the first of several runs that has begun. */
const firstBegun = Effect.fnUntraced(function* (folders: ReadonlyArray<string>) {
  for (const folder of folders) if (yield* RunFolder.isBegun(folder)) return yield* RunFolder.settings(folder)
  return undefined
})

const one = Effect.fnUntraced(function* (
  given: Given,
  seed: number | undefined,
  folder: string | undefined,
  name: string,
  sibling: Settings.Settings | undefined
) {
  // Of several runs that were interrupted, the later ones have not begun: they begin as their sibling did.
  const begun = given.resume && folder !== undefined && (sibling === undefined || (yield* RunFolder.isBegun(folder)))
  const inherited = sibling === undefined ? undefined : new Settings.Settings({ ...sibling, seed: seed! })
  const saved = begun ? yield* RunFolder.settings(folder) : inherited
  const settings = yield* merge(given, seed, saved)
  const done = begun ? yield* finishedBefore(folder) : undefined
  const isCompared = settings.compare !== true || done?.backpropagation !== undefined
  if (done !== undefined && isCompared) return done
  // Whatever is wrong shows before an engine is loaded and a folder is made.
  const data = yield* Settings.data(settings)
  const circuit = yield* Settings.circuit(settings, data.train.task)
  const plan = yield* Settings.plan(settings, circuit)
  yield* Training.check(circuit, data.train, plan, data.validation)
  if (folder !== undefined && !begun) yield* RunFolder.vacant(folder)
  const tensorboard = yield* tensorboardOf(settings, folder, name !== "")
  if (settings.tensorboard !== inRun && tensorboard !== undefined) yield* EventFile.prepare(tensorboard)
  yield* Effect.forEach(Cost.warning(yield* Cost.memory(circuit, data.train, plan)), Report.progress)
  // What is taken is kept, so that a resumed run goes on with it.
  const chosen = Effect.suspend(() =>
    settings.device === "cuda" ? Effect.succeed("onnx" as const) : FastestEngine.choose(circuit, data.train, plan)
  )
  const engineName = settings.engine === "auto" ? yield* chosen : settings.engine
  const path = yield* Path.Path
  return yield* Effect.gen(function* () {
    const taken = new Settings.Settings({ ...settings, engine: engineName })
    if (folder !== undefined && !begun) yield* RunFolder.create(folder, taken)
    yield* Effect.forEach(
      [
        ...Plan.describe(plan, circuit),
        ...("parts" in data ? inParts(data.parts.sizes) : []),
        ...Warnings.of(data.train).map(({ message }) => `warning: ${message}`)
      ],
      Report.progress
    )
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
  }).pipe(Effect.provide(EngineChoice.on(engineName, settings.device)))
})

/** A run looks at the first part alone. */
const inParts = (sizes: ReadonlyArray<number>): ReadonlyArray<string> => [
  `the data are read in ${sizes.length} parts: what is said of the training data is of the first ${sizes[0]} examples, which are to be as mixed as the others`
]

/** Where a run's event files lie: each folder is a run of its own to TensorBoard. */
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

const finishedBefore = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(folder, "summary.json")
  if (!(yield* fs.exists(file))) return undefined
  const summary = yield* Effect.mapError(
    Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Unknown))(yield* fs.readFileString(file)),
    () =>
      new CommandFailed({
        expected: `the summary of a finished run in ${file}`,
        came: "the file is damaged",
        advice: "train again into another folder"
      })
  )
  yield* Report.progress(`the run in ${folder} is finished already`)
  return summary as Run.Summary
})

const shareOrName = (text: string): number | string => (Number.isNaN(Number(text)) ? text : Number(text))

/** The given settings over the saved ones; a run that is resumed keeps what it began with. */
const merge = Effect.fnUntraced(function* (
  given: Given,
  seed: number | undefined,
  saved: Settings.Settings | undefined
) {
  const text = {
    data: Option.getOrUndefined(given.data),
    circuit: Option.getOrUndefined(given.circuit),
    activation: Option.getOrUndefined(given.activation),
    plan: Option.getOrUndefined(given.plan),
    cutAfter: Option.getOrUndefined(given.cutAfter),
    start: Option.getOrUndefined(given.start),
    seed: seed ?? Option.getOrUndefined(given.seed),
    batch: Option.getOrUndefined(given.batch),
    epochs: Option.getOrUndefined(given.epochs),
    validation: Option.getOrUndefined(Option.map(given.validation, shareOrName)),
    patience: Option.getOrUndefined(given.patience),
    engine: Option.getOrUndefined(Option.filter(given.engine, (name) => saved === undefined || name !== "auto")),
    device: Option.getOrUndefined(given.device),
    test: Option.getOrUndefined(given.test),
    label: Option.getOrUndefined(given.label),
    labels: Option.getOrUndefined(given.labels),
    task: Option.getOrUndefined(given.task),
    categorical: Option.getOrUndefined(given.categorical),
    missing: Option.getOrUndefined(given.missing),
    standardise: given.standardise || undefined,
    unseen: Option.getOrUndefined(given.unseen),
    stopLoss: Option.getOrUndefined(given.stopLoss),
    tensorboard: Option.getOrUndefined(given.tensorboard),
    residual: given.residual || undefined,
    compare: given.compare || undefined
  }
  if (saved !== undefined) {
    for (const [key, value] of Object.entries(text)) {
      const before = saved[key as keyof typeof text]
      // A finished run can still be compared, and one that goes on be shown.
      if (value === undefined || value === before || key === "compare" || key === "tensorboard") continue
      return yield* new CommandFailed({
        expected: `${key} ${before ?? "absent"}, with which the run began`,
        came: `${value} came`,
        advice: "leave it out, or begin a run in another folder"
      })
    }
    const [compare, tensorboard] = [saved.compare ?? text.compare, text.tensorboard ?? saved.tensorboard]
    return new Settings.Settings({ ...saved, compare, tensorboard })
  }
  const missing = (["data", "circuit"] as const).find((key) => text[key] === undefined)
  if (missing !== undefined) {
    const example = missing === "data" ? "--data moons-100" : "--circuit 2,100x100,1"
    return yield* new UsageWrong({
      expected: `--${missing}`,
      came: "none came",
      advice: `add it, for instance ${example}`
    })
  }
  if (text.seed !== undefined && (text.seed < 0 || text.seed > Pseudorandom.maximumSeed)) {
    return yield* new UsageWrong({
      expected: `a seed from 0 to ${Pseudorandom.maximumSeed}`,
      came: `${text.seed} came`,
      advice: "choose one of these"
    })
  }
  if (Settings.isCircuitFile(text.circuit!) && (text.activation ?? text.residual) !== undefined) {
    return yield* new UsageWrong({
      expected: "a circuit's file to say its activation functions and residual blocks itself",
      came: `--${text.activation === undefined ? "residual" : "activation"} came too`,
      advice: "leave it out, or give widths"
    })
  }
  if (text.device === "cuda" && !["auto", "onnx"].includes(text.engine ?? "auto")) {
    return yield* new UsageWrong({
      expected: "the engine onnx with --device cuda",
      came: `--engine ${text.engine} came`,
      advice: "leave --engine out, or --device"
    })
  }
  yield* atLeastOne("batch", text.batch, 64)
  yield* atLeastOne("epochs", text.epochs, 40)
  yield* atLeastOne("patience", text.patience, 30)
  if ((text.batch ?? text.epochs) !== undefined && (text.plan ?? "auto") !== "auto") {
    return yield* new UsageWrong({
      expected: "--batch and --epochs with the automatic plan alone",
      came: `--plan ${text.plan} came too`,
      advice: "write them into the plan, as in backpropagate:40:batch=64"
    })
  }
  return new Settings.Settings({
    data: text.data!,
    circuit: text.circuit!,
    activation: text.activation ?? "sigmoid",
    plan: text.plan ?? "auto",
    start: text.start ?? "auto",
    seed: text.seed ?? 0,
    engine: text.engine ?? "auto",
    device: text.device,
    batch: text.batch,
    epochs: text.epochs,
    validation: text.validation,
    patience: text.patience,
    test: text.test,
    label: text.label,
    labels: text.labels,
    task: text.task,
    categorical: text.categorical,
    missing: text.missing,
    standardise: text.standardise,
    unseen: text.unseen,
    stopLoss: text.stopLoss,
    tensorboard: text.tensorboard,
    residual: text.residual,
    compare: text.compare,
    cutAfter: text.cutAfter
  })
})

const lines = (summary: Run.Summary): ReadonlyArray<string> => [
  `${summary.steps} steps in ${Report.seconds(summary.seconds)} on ${summary.engine} (${summary.stepsPerSecond.toFixed(1)} steps/s)`,
  `free run: loss ${Report.number(summary.freeRunLoss)}, accuracy ${Report.percent(summary.freeRunAccuracy)} on the training data` +
    (summary.testLoss === null
      ? ""
      : `; loss ${Report.number(summary.testLoss)}, accuracy ${Report.percent(summary.testAccuracy)} on test data`),
  // Runs of earlier versions kept none.
  ...(summary.testMetrics ? [`test data: ${Evaluate.sentence(summary.testMetrics)}`] : []),
  ...(summary.relaxedLoss === null
    ? []
    : [
        `relaxed loss ${Report.number(summary.relaxedLoss)}, relaxation gap ${Report.number(summary.relaxationGap)}, free-run accuracy ${Report.percent(summary.relaxedAccuracy)} where relaxing ended`
      ]),
  ...summary.findings.map((finding) => `why: ${finding}`),
  ...(summary.backpropagation === undefined ? [] : Seeds.compared([summary])),
  summary.run === null ? "nothing was kept; add --out DIR to keep it" : `kept in ${summary.run}`
]
