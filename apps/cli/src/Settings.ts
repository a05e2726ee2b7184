/**
 * What decides a run, as the command line gives it and a run's folder keeps it.
 */
import {
  Circuit,
  CircuitSpec,
  type Dataset,
  Frame,
  Parts,
  Plan,
  PlanSpec,
  Preprocessing,
  Source,
  Start
} from "@rai/core"
import { LayersModel, Onnx } from "@rai/export"
import { Operators } from "@rai/export/reading"
import { Effect, FileSystem, Schema } from "effect"
import { CommandFailed } from "./CommandFailed.ts"
import * as EngineChoice from "./EngineChoice.ts"
import { UsageWrong } from "./UsageWrong.ts"

/** The activation functions of `--activation`. */
export const activations = Object.keys(Circuit.activations) as ReadonlyArray<Circuit.Activation>

/** The starts of `--start`; `auto` leaves it to the plan. */
export const starts = ["auto", ...(Object.keys(Start.table) as ReadonlyArray<Start.Name>)] as const

/** The settings of a run. */
export class Settings extends Schema.Class<Settings>("@rai/cli/Settings")({
  data: Schema.String,
  circuit: Schema.String,
  activation: Schema.Literals(activations),
  plan: Schema.String,
  start: Schema.Literals(starts),
  seed: Schema.Int,
  batch: Schema.optional(Schema.Int),
  epochs: Schema.optional(Schema.Int),
  /** A share of the training data, or a file. */
  validation: Schema.optional(Schema.Union([Schema.Finite, Schema.String])),
  patience: Schema.optional(Schema.Int),
  engine: Schema.Literals(EngineChoice.names),
  device: Schema.optional(Schema.Literals(EngineChoice.devices)),
  test: Schema.optional(Schema.String),
  label: Schema.optional(Schema.String),
  labels: Schema.optional(Schema.String),
  task: Schema.optional(Schema.Literals(["binary", "classes", "regression"])),
  categorical: Schema.optional(Schema.String),
  missing: Schema.optional(Schema.Literals(["error", "drop", "mean", "median"])),
  standardise: Schema.optional(Schema.Boolean),
  unseen: Schema.optional(Schema.Literals(["error", "zeros"])),
  stopLoss: Schema.optional(Schema.Finite),
  tensorboard: Schema.optional(Schema.String),
  residual: Schema.optional(Schema.Boolean),
  compare: Schema.optional(Schema.Boolean),
  cutAfter: Schema.optional(Schema.String)
}) {}

/** The circuit that the settings describe, for a task if there is one: a network from elsewhere ends before the softmax or sigmoid of its classes. */
export const circuit = Effect.fn("Settings.circuit")(function* (
  { activation, circuit: text, residual }: Settings,
  task?: Dataset.Task
) {
  const read = yield* network(text, { logits: task !== undefined && task !== "regression" })
  if (read !== undefined) return read.circuit
  if (isCircuitFile(text)) return yield* CircuitSpec.read(text)
  return Circuit.perceptron(yield* CircuitSpec.widths(text), { activation, residual: residual === true })
})

/** Whether `--circuit` names a file, or a folder. */
export const isCircuitFile = (text: string): boolean => /\.(json|onnx)$|[/\\]/i.test(text)

/** The network from elsewhere that a path names, an ONNX model or a layers-model of TensorFlow.js; undefined where it names neither. */
export const network = Effect.fn("Settings.network")(function* (
  path: string,
  options: { readonly logits?: boolean } = {}
) {
  if (/\.onnx$/i.test(path)) return yield* Onnx.read(path, options)
  return (yield* LayersModel.isAt(path)) ? yield* LayersModel.read(path, options) : undefined
})

/** The plan: automatic or as written, from the start and with the stop that the settings ask for. */
export const plan = Effect.fn("Settings.plan")(function* (settings: Settings, of: Circuit.Circuit) {
  const { start } = asked(settings)
  const automatic = settings.plan === "auto"
  const written = automatic ? Plan.auto(of, asked(settings)) : yield* PlanSpec.parse(settings.plan)
  const cut =
    settings.cutAfter === undefined ? written : Plan.cuttingAfter(written, yield* kinds(settings.cutAfter, of))
  const started = automatic || start === undefined ? cut : Plan.startingAt(cut, start)
  return ending(settings, started)
})

/** The plan as patient as it is asked to be, and with the stop that is asked for. */
const ending = ({ patience, stopLoss }: Settings, plan: Plan.Plan): Plan.Plan => {
  const patient = patience === undefined ? plan : Plan.stoppingEarly(plan, patience)
  return stopLoss === undefined ? patient : Plan.stoppingAt(patient, { loss: stopLoss })
}

/** The kinds of `--cut-after`, of which the circuit has one at least. */
const kinds = Effect.fnUntraced(function* (text: string, of: Circuit.Circuit) {
  const known = new Set(["linear", "activation", "residual", ...Circuit.sites(of).map(({ block }) => block.kind)])
  const asked = text.split(",").map((kind) => kind.trim())
  const missing = asked.find((kind) => !known.has(kind) && !Operators.table.has(kind))
  const isMet = missing === undefined && asked.some((kind) => known.has(kind))
  if (isMet) return asked.join("+")
  return yield* new UsageWrong({
    expected: "--cut-after to name kinds of blocks or operators that the circuit has",
    came: `«${missing ?? text}» came`,
    advice: `give some of ${[...known].join(", ")}`
  })
})

/** What the automatic plan is asked for. */
export const asked = ({ batch, epochs, start }: Settings): Plan.Asked => ({
  start: start === "auto" ? undefined : start,
  batches: batch === undefined && epochs === undefined ? undefined : { batch: batch ?? 64, epochs: epochs ?? 40 }
})

/** Backpropagation alone from the plan's start, in its batches and for as many epochs, as patient and with its stop: what the plan is held against. */
export const control = (settings: Settings, plan: Plan.Plan, of: Circuit.Circuit): Plan.Plan => {
  const inBatches = plan.phases.flatMap(({ batch, epochs }) => (batch === undefined ? [] : [{ batch, epochs }]))
  const epochs = inBatches.reduce((total, phase) => total + phase.epochs, 0)
  const batches = inBatches[0] === undefined ? undefined : { batch: inBatches[0].batch, epochs }
  return ending(settings, Plan.autoBackpropagation(of, { start: plan.start, batches }))
}

/** Files above this many bytes are read in parts where the plan trains in batches. */
const large = 128 * 2 ** 20

/** How files are read, and what is learned from the training part of them. */
const rules = ({ categorical, label, missing, standardise, task, unseen }: Settings) => ({
  categorical: categorical === undefined ? [] : categorical.split(",").map((name) => name.trim()),
  label,
  missing,
  standardise,
  task,
  unseen
})

/**
 * Training data, test data where `--test` names a set or a share, and validation data where `--validation` names a set or a share of the
 * training data; what is done to their columns is learned from the training data alone.
 */
export const data = Effect.fn("Settings.data")(function* (settings: Settings) {
  if (yield* isInParts(settings)) return yield* inParts(settings)
  const { test, train, validation } = yield* frames(settings)
  const preprocessing = yield* Preprocessing.fit(train, rules(settings))
  const prepared = (of: Frame.Frame | undefined) =>
    of === undefined ? Effect.succeed(undefined) : Frame.toDataset(of, preprocessing)
  return {
    train: yield* Frame.toDataset(train, preprocessing),
    test: yield* prepared(test),
    validation: yield* prepared(validation)
  }
})

/** The examples of each part before anything is done to their columns. */
export const frames = Effect.fn("Settings.frames")(function* (settings: Settings) {
  const all = yield* Source.frame(settings.data, { ...rules(settings), labels: settings.labels })
  const { aside: test, train: rest } = yield* keepAside(settings, all, "test")
  const { aside: validation, train } = yield* keepAside(settings, rest, "validation")
  return { test, validation, train }
})

const inParts = Effect.fnUntraced(function* (settings: Settings) {
  for (const part of ["test", "validation"] as const) {
    if (settings[part] === undefined || Number.isNaN(Number(settings[part]))) continue
    return yield* new CommandFailed({
      expected: `--${part} to name a file of its own for data that are read in parts`,
      came: "a share came",
      advice: `keep ${part} data in another file`
    })
  }
  const { parts, sample } = yield* Parts.file(settings.data, { ...rules(settings), labels: settings.labels })
  const names = sample.preprocessing?.columns.map(({ name }) => name) ?? sample.inputNames
  const { classNames, task } = sample
  const preprocessed = Effect.fnUntraced(function* (part: "test" | "validation") {
    if (settings[part] === undefined) return undefined
    const other = yield* another(settings, { names, task, classNames }, part)
    return yield* Frame.toDataset(other, sample.preprocessing ?? (yield* Preprocessing.fit(other)))
  })
  return { train: sample, parts, test: yield* preprocessed("test"), validation: yield* preprocessed("validation") }
})

/** Whether the training data are too many to be read at once. */
export const isInParts = Effect.fn("Settings.isInParts")(function* (settings: Settings) {
  return Source.isFile(settings.data) && (yield* isInBatches(settings)) && (yield* sizeOf(settings.data)) > large
})

/** Whether every phase trains in batches and keeps nothing per example. */
const isInBatches = Effect.fnUntraced(function* (settings: Settings) {
  if (settings.plan === "auto") return asked(settings).batches !== undefined
  const { phases } = yield* PlanSpec.parse(settings.plan)
  return phases.every(({ batch, kind }) => batch !== undefined && kind !== "relax")
})

const sizeOf = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  return Number((yield* fs.stat(path)).size)
})

/** The examples that a setting keeps aside, a share of these or another set with the same columns, and those that are left. */
const keepAside = Effect.fnUntraced(function* (settings: Settings, all: Frame.Frame, part: "test" | "validation") {
  const asked = settings[part]
  if (asked === undefined) return { train: all, aside: undefined }
  const share = Number(asked)
  if (!Number.isNaN(share)) {
    const { test, train } = yield* Frame.split(all, { share, ...(part === "validation" && { source: part }) })
    return { train, aside: test }
  }
  return { train: all, aside: yield* another(settings, meaning(all), part) }
})

/** What the examples of one set must have in common with those of another. */
export interface Meaning extends Pick<Frame.Frame, "task"> {
  readonly names: ReadonlyArray<string>
  readonly classNames: ReadonlyArray<string> | undefined
}

/** What the examples of a set mean. */
const meaning = ({ classNames, columns, task }: Frame.Frame): Meaning => ({
  names: columns.map(({ name }) => name),
  task,
  classNames
})

/** The set that a setting names, which must mean what the training data mean. */
const another = Effect.fnUntraced(function* (settings: Settings, mine: Meaning, part: "test" | "validation") {
  const source = String(settings[part])
  const other = yield* Source.frame(source, { ...rules(settings), ...known(source, mine) })
  yield* same(`${part} data as the training data are`, mine, other, source)
  return other
})

/** How a file is read whose columns and classes are known: by their names, in whatever order, and a class may be absent. */
export const known = (source: string, { classNames, names, task }: Meaning) =>
  Source.isFile(source) ? { classNames, inputs: names.length === 0 ? undefined : names, task } : {}

/** Fails where a set that came from `source` does not mean what is expected. */
export const same = Effect.fnUntraced(function* (expected: string, mine: Meaning, came: Frame.Frame, source: string) {
  const theirs = meaning(came)
  if (JSON.stringify(mine) === JSON.stringify(theirs)) return
  return yield* new CommandFailed({
    expected: `${expected} (${describe(mine)})`,
    came: `${describe(theirs)} came in ${source}`,
    advice: "name data with the same columns in the same order, and the same classes"
  })
})

/** The columns and classes of a set, for people. */
const describe = ({ classNames, names, task }: Meaning): string =>
  `inputs ${list(names)}; ${classNames === undefined ? task : `classes ${list(classNames)}`}`

const list = (names: ReadonlyArray<string>): string =>
  names.length > 10 ? `${names.slice(0, 10).join(", ")}, … (${names.length})` : names.join(", ")
