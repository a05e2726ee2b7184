/**
 * What decides a run, as the command line gives it and a run's folder keeps it.
 */
import { Circuit, CircuitSpec, Dataset, Parts, Plan, PlanSpec, Source, Start } from "@rai/core"
import { Onnx } from "@rai/export"
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
  validation: Schema.optional(Schema.Finite),
  engine: Schema.Literals(EngineChoice.names),
  device: Schema.optional(Schema.Literals(EngineChoice.devices)),
  test: Schema.optional(Schema.String),
  label: Schema.optional(Schema.String),
  task: Schema.optional(Schema.Literals(["binary", "classes", "regression"])),
  stopLoss: Schema.optional(Schema.Finite),
  residual: Schema.optional(Schema.Boolean),
  compare: Schema.optional(Schema.Boolean),
  cutAfter: Schema.optional(Schema.String)
}) {}

/** The circuit that the settings describe. */
export const circuit = (settings: Settings) =>
  isModelFile(settings.circuit)
    ? Effect.map(Onnx.read(settings.circuit), ({ circuit: read }) => read)
    : isCircuitFile(settings.circuit)
      ? CircuitSpec.read(settings.circuit)
      : Effect.map(CircuitSpec.widths(settings.circuit), (widths) =>
          Circuit.perceptron(widths, { activation: settings.activation, residual: settings.residual === true })
        )

/** Whether `--circuit` names a file. */
export const isCircuitFile = (text: string): boolean => /\.(json|onnx)$/i.test(text)

/** Whether a file is an ONNX model. */
export const isModelFile = (text: string): boolean => /\.onnx$/i.test(text)

/** The plan: automatic or as written, from the start and with the stop that the settings ask for. */
export const plan = Effect.fn("Settings.plan")(function* (settings: Settings, of: Circuit.Circuit) {
  const { start } = asked(settings)
  const automatic = settings.plan === "auto"
  const written = automatic ? Plan.auto(of, asked(settings)) : yield* PlanSpec.parse(settings.plan)
  const cut =
    settings.cutAfter === undefined ? written : Plan.cuttingAfter(written, yield* kinds(settings.cutAfter, of))
  const started = automatic || start === undefined ? cut : Plan.startingAt(cut, start)
  return settings.stopLoss === undefined ? started : Plan.stoppingAt(started, { loss: settings.stopLoss })
})

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

/** Backpropagation alone from the plan's start, in its batches and for as many epochs, with its stop: what the plan is held against. */
export const control = (settings: Settings, plan: Plan.Plan, of: Circuit.Circuit): Plan.Plan => {
  const inBatches = plan.phases.flatMap(({ batch, epochs }) => (batch === undefined ? [] : [{ batch, epochs }]))
  const epochs = inBatches.reduce((total, phase) => total + phase.epochs, 0)
  const batches = inBatches[0] === undefined ? undefined : { batch: inBatches[0].batch, epochs }
  const alone = Plan.autoBackpropagation(of, { start: plan.start, batches })
  return settings.stopLoss === undefined ? alone : Plan.stoppingAt(alone, { loss: settings.stopLoss })
}

/** Files above this many bytes are read in parts where the plan trains in batches. */
const large = 128 * 2 ** 20

/** Training data, test data where `--test` names a set or a share, and the share of the training data that `--validation` keeps aside. */
export const data = Effect.fn("Settings.data")(function* (settings: Settings) {
  const { test: other, validation } = settings
  if (isFile(settings.data) && asked(settings).batches !== undefined && (yield* sizeOf(settings.data)) > large) {
    if (validation !== undefined || !Number.isNaN(Number(other))) {
      return yield* new CommandFailed({
        expected: "--test to name a file of its own for data that are read in parts",
        came: "a share came",
        advice: "keep test data in another file"
      })
    }
    const { parts, sample } = yield* Parts.csv(settings.data, settings)
    const test = other === undefined ? undefined : yield* Source.read(other, settings)
    return { train: sample, parts, test, validation: undefined }
  }
  const { train: all, test } = yield* trainAndTest(settings)
  if (settings.validation === undefined) return { train: all, test, validation: undefined }
  const parts = yield* Dataset.split(all, { share: settings.validation, source: "validation" })
  return { train: parts.train, test, validation: parts.test }
})

const isFile = (text: string): boolean => /\.csv(\.gz)?$/i.test(text)

const sizeOf = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  return Number((yield* fs.stat(path)).size)
})

const trainAndTest = Effect.fnUntraced(function* ({ data: from, label, task, test }: Settings) {
  const all = yield* Source.read(from, { label, task })
  if (test === undefined) return { train: all, test: undefined }
  const share = Number(test)
  if (!Number.isNaN(share)) return yield* Dataset.split(all, { share })
  const other = yield* Source.read(test, { label, task })
  const [mine, theirs] = [describe(all), describe(other)]
  if (mine === theirs && all.inputNames.join() === other.inputNames.join()) return { train: all, test: other }
  return yield* new CommandFailed({
    expected: `test data as the training data are (${mine})`,
    came: `${theirs} came in ${test}`,
    advice: "name data with the same columns in the same order, and the same classes"
  })
})

const describe = (of: Dataset.Dataset): string =>
  `inputs ${list(of.inputNames)}; ${of.classNames === undefined ? of.task : `classes ${list(of.classNames)}`}`

const list = (names: ReadonlyArray<string>): string =>
  names.length > 10 ? `${names.slice(0, 10).join(", ")}, … (${names.length})` : names.join(", ")
