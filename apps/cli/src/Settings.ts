/**
 * The settings of a run, as the command line gives them and the run's folder stores them.
 */
import { Circuit, CircuitSpec, type Dataset, type Phase, Plan, PlanSpec, Start } from "@rai/core"
import { Effect, Schema } from "effect"
import * as EngineChoice from "./EngineChoice.ts"
import { UsageWrong } from "./UsageWrong.ts"

/** The values of `--activation`. */
export const activations = Object.keys(Circuit.activations) as ReadonlyArray<Circuit.Activation>

/** The values of `--start`; `auto` leaves it to the plan. */
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
  cutAfter: Schema.optional(Schema.String),
  /** SHA-256 of each set when the run began; of data read in parts, of the first part alone, so that a change of the others is not noticed. */
  digests: Schema.optional(Schema.Record(Schema.String, Schema.String))
}) {}

/** The share of the data that a setting keeps aside; undefined where it names other data. */
export const share = (of: string | number | undefined): number | undefined =>
  of === undefined || Number.isNaN(Number(of)) ? undefined : Number(of)

/** Builds the circuit that the settings describe; for a classification task, an imported network is read up to its logits. */
export const circuit = Effect.fn("Settings.circuit")(function* (
  { activation, circuit: text, residual }: Settings,
  task?: Dataset.Task
) {
  if (!isWidths(text)) {
    const Network = yield* Effect.promise(() => import("./Network.ts"))
    const read = yield* Network.at(text, { logits: task !== undefined && task !== "regression" })
    if (read !== undefined) return read.circuit
  }
  if (isCircuitFile(text)) return yield* CircuitSpec.read(text)
  return Circuit.perceptron(yield* CircuitSpec.widths(text), { activation, residual: residual === true })
})

/** Whether `--circuit` gives widths. */
export const isWidths = (text: string): boolean => /^[\dx, ]+$/.test(text)

/** Whether `--circuit` names a file or folder. */
export const isCircuitFile = (text: string): boolean => /\.(json|onnx)$|[/\\]/i.test(text)

/** The plan, automatic or as written, with the start and stopping rule that the settings ask for. */
export const plan = Effect.fn("Settings.plan")(function* (settings: Settings, of: Circuit.Circuit) {
  const { cutAfter } = settings
  const { start } = asked(settings)
  const automatic = settings.plan === "auto"
  const written = automatic ? Plan.auto(of, asked(settings)) : yield* PlanSpec.parse(settings.plan)
  const cut = cutAfter === undefined ? written : Plan.cuttingAfter(written, yield* kinds(cutAfter, of))
  const started = automatic || start === undefined ? cut : Plan.startingAt(cut, start)
  return ending(settings, started)
})

/** Fails with `UsageWrong` where a flag of a new run means nothing to its circuit or plan. */
export const checkEffect = Effect.fnUntraced(function* (
  { cutAfter, patience, start }: Settings,
  of: Circuit.Circuit,
  plan: Plan.Plan
) {
  const isNetwork = Circuit.leaves(of).some(({ block }) => block.graph !== undefined)
  if (isNetwork && start !== "auto") {
    const expected = "a network from elsewhere to start from its own weights"
    return yield* new UsageWrong({ expected, came: `--start ${start} came too`, advice: "leave it out" })
  }
  yield* phaseFor("cut-after", cutAfter, plan, "relaxes or alternates", "backpropagate")
  yield* phaseFor("patience", patience, plan, "alternates or backpropagates", "relax")
})

/** Fails with `UsageWrong` where a flag is given that means nothing to the plan, all of whose phases are of the kind `not`. */
const phaseFor = Effect.fnUntraced(function* (
  flag: string,
  value: unknown,
  plan: Plan.Plan,
  which: string,
  not: Phase.Phase["kind"]
) {
  if (value === undefined || plan.phases.some(({ kind }) => kind !== not)) return
  const came = `the plan is ${Plan.print(plan)}`
  return yield* new UsageWrong({ expected: `a phase that ${which} for --${flag}`, came, advice: "leave it out" })
})

/** The plan with the patience and the stopping loss that the settings ask for. */
const ending = ({ patience, stopLoss }: Settings, plan: Plan.Plan): Plan.Plan => {
  const patient = patience === undefined ? plan : Plan.stoppingEarly(plan, patience)
  return stopLoss === undefined ? patient : Plan.stoppingAt(patient, { loss: stopLoss })
}

/** The kinds that `--cut-after` names; fails with `UsageWrong` unless all are known and the circuit has at least one. */
const kinds = Effect.fnUntraced(function* (text: string, of: Circuit.Circuit) {
  const { Operators } = yield* Effect.promise(() => import("@rai/export/reading"))
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

/** The options of the automatic plan. */
export const asked = ({ batch, epochs, start }: Settings): Plan.Asked => ({
  start: start === "auto" ? undefined : start,
  batches: batch === undefined && epochs === undefined ? undefined : { batch: batch ?? 64, epochs: epochs ?? 40 }
})

/** The baseline for a plan: backpropagation alone with the same start, batches, number of epochs, patience and stopping rule. */
export const control = (settings: Settings, plan: Plan.Plan, of: Circuit.Circuit): Plan.Plan => {
  const inBatches = plan.phases.flatMap(({ batch, epochs }) => (batch === undefined ? [] : [{ batch, epochs }]))
  const epochs = inBatches.reduce((total, phase) => total + phase.epochs, 0)
  const batches = inBatches[0] === undefined ? undefined : { batch: inBatches[0].batch, epochs }
  return ending(settings, Plan.autoBackpropagation(of, { start: plan.start, batches }))
}
