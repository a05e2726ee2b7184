/**
 * `rai cost`: what a training run costs, before it runs.
 */
import { totalmem } from "node:os"
import {
  Circuit,
  Cut,
  Dataset,
  Footprint,
  FreeRun,
  NdArray,
  type Phase,
  type PhaseState,
  Plan,
  Training
} from "@rai/core"
import { Effect, Option, Struct } from "effect"
import { Command, Flag } from "effect/cli"
import * as EngineChoice from "./EngineChoice.ts"
import * as Report from "./Report.ts"
import * as Settings from "./Settings.ts"
import * as Speed from "./Speed.ts"
import { flags, values } from "./TrainFlags.ts"
import * as TrainSettings from "./TrainSettings.ts"
import { atLeastOne } from "./UsageWrong.ts"

/** The command. */
export const command = Command.make(
  "cost",
  {
    circuit: Flag.String("circuit").pipe(
      Flag.withDescription(
        "widths, as in 2,100x100,1; or a circuit in a .json file; or an ONNX model or a layers-model of TensorFlow.js"
      )
    ),
    examples: Flag.Int("examples").pipe(Flag.withDescription("how many examples the training data hold")),
    engine: Flag.Literals("engine", ["onnx", "tfjs-native"]).pipe(
      Flag.withDescription("what computes; onnx"),
      Flag.withDefault("onnx")
    ),
    ...Struct.pick(flags, ["activation", "residual", "plan", "cutAfter", "start", "batch", "epochs", "json"])
  },
  Effect.fn("cost")(function* (given) {
    const { examples, json, ...asked } = values(given)
    yield* atLeastOne("examples", examples, 100)
    const begun = yield* TrainSettings.begun({ ...asked, data: "moons-100" })
    const inEpochs = begun.batch === undefined && begun.epochs !== undefined
    const settings = inEpochs ? new Settings.Settings({ ...begun, batch: Math.min(64, examples) }) : begun
    const circuit = yield* Settings.circuit(settings)
    const plan = yield* Settings.plan(settings, circuit)
    yield* Settings.checkEffect(settings, circuit, plan)
    const subject = yield* shapes(circuit, examples)
    yield* Training.check(
      circuit,
      { task: subject.task, inputs: { shape: subject.x }, targets: { shape: subject.y } },
      plan
    )
    const phases = yield* Effect.forEach(plan.phases, (phase) => ofPhase(subject, plan, phase, given.engine))
    const memory = Math.max(...phases.map(({ footprint }) => footprint.memory))
    const object = {
      engine: given.engine,
      memory,
      phases: phases.map(({ footprint, ...phase }) => ({ ...phase, ...footprint }))
    }
    yield* Report.result(json === true, object, [...phases.flatMap(lines), ...warning(memory)])
  })
).pipe(
  Command.withExamples([
    { command: "rai cost --circuit 2,100x100,1 --examples 100", description: "the paper's circuit" }
  ])
)

/** Memory in bytes that the plan's most demanding phase needs on the data. */
export const memory = Effect.fnUntraced(function* (
  circuit: Circuit.Circuit,
  { inputs, targets, task }: Dataset.Dataset,
  plan: Plan.Plan
) {
  const subject = { circuit, task, x: inputs.shape, y: targets.shape }
  const sizes = yield* Effect.forEach(plan.phases, (phase) => Footprint.of(subject, phase))
  return Math.max(...sizes.map(({ memory }) => memory))
})

/** A warning line where a run would not fit in memory: the machine's, or the container's limit. */
export const warning = (memory: number): ReadonlyArray<string> => {
  const here = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
  return memory <= here
    ? []
    : [
        `warning: training holds about ${Report.bytes(memory)}, more than the ${Report.bytes(here)} of memory here; use batches, fewer cuts or a smaller circuit`
      ]
}

const shapes = (circuit: Circuit.Circuit, examples: number) =>
  Effect.map(FreeRun.widths(circuit), ({ inputs, outputs }): PhaseState.Subject => {
    const task = outputs === 1 ? "binary" : "classes"
    return { circuit, task, x: [examples, inputs], y: [examples, outputs] }
  })

interface Costed {
  readonly kind: Phase.Phase["kind"]
  readonly steps: number
  readonly footprint: Footprint.Footprint
  /** Undefined where the engine is not available. */
  readonly secondsPerStep: number | undefined
}

const ofPhase = Effect.fnUntraced(function* (
  subject: PhaseState.Subject,
  plan: Plan.Plan,
  phase: Phase.Phase,
  engine: "onnx" | "tfjs-native"
) {
  const footprint = yield* Footprint.of(subject, phase)
  const steps = phase.steps ?? phase.epochs * Math.floor(subject.x[0]! / phase.batch)
  const secondsPerStep = yield* predicted(footprint.flops, subject, new Plan.Plan({ ...plan, phases: [phase] }), engine)
  const costed: Costed = { kind: phase.kind, steps, footprint, secondsPerStep }
  return costed
})

/** Most operations of a step that is timed directly rather than extrapolated. */
const short = 2e9

/** Number of sites above which preparing the circuit takes some seconds. */
const many = 500

/**
 * Predicts the seconds for one step of the plan's first phase by timing steps: on all the examples, or, where that would take long, on as many as
 * it does not and on half of those, whose difference is the cost per example. Where even a few examples, or preparing the circuit, take long, steps
 * of two circuits of other depths give the cost per operation.
 */
const predicted = Effect.fnUntraced(function* (
  flops: number,
  subject: PhaseState.Subject,
  plan: Plan.Plan,
  engine: "onnx" | "tfjs-native"
) {
  const [phase] = plan.phases
  const timed = Effect.fnUntraced(function* (circuit: Circuit.Circuit, examples: number, plan: Plan.Plan) {
    const shaped = yield* shapes(circuit, examples)
    const footprint = yield* Footprint.of(shaped, plan.phases[0]!)
    const speed = yield* Speed.measure(EngineChoice.table[engine], circuit, yield* anything(shaped), plan)
    return Option.map(speed, (steps) => ({ flops: footprint.flops, seconds: 1 / steps }))
  })
  const of = phase!.batch ?? subject.x[0]!
  const most = Math.min(of, Math.floor((short * of) / flops))
  if (most === of)
    return Option.getOrUndefined(Option.map(yield* timed(subject.circuit, of, plan), ({ seconds }) => seconds))
  const deep = (depth: number) =>
    timed(
      Circuit.perceptron([2, ...Array<number>(depth).fill(100), 1], { activation: "tanh" }),
      phase!.batch ?? Math.min(subject.x[0]!, 100),
      onPerceptron(plan)
    )
  const isDivided = phase!.batch === undefined && most >= 32 && Circuit.sites(subject.circuit).length <= many
  const pair = isDivided
    ? Option.all([yield* timed(subject.circuit, most >> 1, plan), yield* timed(subject.circuit, most, plan)])
    : Option.all([yield* deep(48), yield* deep(96)])
  if (Option.isNone(pair)) return undefined
  const [less, more] = pair.value
  // Each further operation costs at least half the measured mean, however much other programs disturb the timing.
  const mean = more.seconds / more.flops
  const each = Math.max((more.seconds - less.seconds) / (more.flops - less.flops), mean / 2)
  return more.seconds + each * (flops - more.flops)
})

/** The plan in plain coordinates, with cuts that exist in a perceptron of 48 hidden layers, whatever the original circuit's blocks. */
const onPerceptron = (plan: Plan.Plan) =>
  new Plan.Plan({
    phases: plan.phases.map((phase) =>
      phase.kind === "backpropagate" ? phase : { ...phase, cut: { ...Cut.paper, every: Math.min(phase.cut.every, 24) } }
    ),
    said: {}
  })

/** Made-up data of the given shapes: the time of a step does not depend on the values. */
const anything = ({ task, x, y }: PhaseState.Subject) => {
  const [examples, features] = x as readonly [number, number]
  const classes = Math.max(2, y[1]!)
  const names = (count: number) => Array.from({ length: count }, (_, i) => String(i))
  // 0 and 1 are valid category indices wherever there are at least two categories.
  const inputs = Float32Array.from({ length: examples * features }, (_, i) => (i >> (i % 5)) % 2)
  const labels = Array.from({ length: examples }, (_, i) => i % classes)
  return Dataset.labelled({
    inputs: NdArray.make(x, inputs),
    labels,
    inputNames: names(features),
    classNames: names(classes),
    task: task === "binary" ? task : "classes"
  })
}

const count = (value: number): string => value.toLocaleString("en-US")

/** 0.14 ms, 13 ms, 70.3 s */
const stepTime = (seconds: number): string =>
  seconds < 1 ? `${Number((1000 * seconds).toPrecision(2))} ms` : Report.seconds(seconds)

const lines = ({ footprint, kind, secondsPerStep, steps }: Costed): ReadonlyArray<string> => {
  const { auxiliaries, bytes, flops, memory, parameters, remembered } = footprint
  const time =
    secondsPerStep === undefined
      ? "unknown: it could not be measured here; see rai doctor"
      : `${stepTime(secondsPerStep)} a step, ${Report.duration(steps * secondsPerStep)} for all ${count(steps)} of them; making ready and measuring come on top`
  return [
    kind,
    `  parameters  ${count(parameters)}`,
    `  auxiliaries ${count(auxiliaries)}`,
    `  remembered  ${count(remembered)} by the optimiser`,
    `  operations  ${Report.quantity(flops, "FLOP")} a step, ${Report.bytes(bytes)} moved`,
    `  memory      ${Report.bytes(memory)} while it trains, the runtime's own apart`,
    `  time        ${time}`
  ]
}
