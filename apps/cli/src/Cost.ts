/**
 * `rai cost`: what a training run costs, before it runs.
 */
import { totalmem } from "node:os"
import { Circuit, type Dataset, Footprint, FreeRun, Moons, type Phase, type PhaseState, Plan } from "@rai/core"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as EngineChoice from "./EngineChoice.ts"
import * as Report from "./Report.ts"
import * as Settings from "./Settings.ts"
import * as Speed from "./Speed.ts"
import { atLeastOne, UsageWrong } from "./UsageWrong.ts"

/** The command. */
export const command = Command.make(
  "cost",
  {
    circuit: Flag.String("circuit").pipe(
      Flag.withDescription("widths, as in 2,100x100,1; or a circuit in a .json file")
    ),
    examples: Flag.Int("examples").pipe(Flag.withDescription("how many examples the training data hold")),
    activation: Flag.Literals("activation", Settings.activations).pipe(Flag.withDefault("sigmoid")),
    residual: Flag.Boolean("residual").pipe(Flag.withDefault(false)),
    plan: Flag.String("plan").pipe(Flag.withDescription("as rai train takes it"), Flag.withDefault("auto")),
    start: Flag.Literals("start", Settings.starts).pipe(Flag.withDefault("auto")),
    batch: Flag.Int("batch").pipe(Flag.optional),
    epochs: Flag.Int("epochs").pipe(Flag.optional),
    engine: Flag.Literals("engine", ["onnx", "tfjs-native"]).pipe(
      Flag.withDescription("what computes"),
      Flag.withDefault("onnx")
    ),
    json: Flag.Boolean("json").pipe(Flag.withDefault(false))
  },
  Effect.fn("cost")(function* (given) {
    const [batch, epochs] = [Option.getOrUndefined(given.batch), Option.getOrUndefined(given.epochs)]
    yield* atLeastOne("examples", given.examples, 100)
    yield* atLeastOne("batch", batch, 64)
    yield* atLeastOne("epochs", epochs, 40)
    if ((batch ?? 0) > given.examples) {
      return yield* new UsageWrong({
        expected: `--batch from 1 to the ${given.examples} examples`,
        came: `${batch} came`,
        advice: `give for instance --batch ${Math.min(64, given.examples)}`
      })
    }
    const settings = new Settings.Settings({
      ...given,
      data: "moons-100",
      seed: 0,
      batch: batch ?? (epochs === undefined ? undefined : Math.min(64, given.examples)),
      epochs,
      residual: given.residual || undefined
    })
    const circuit = yield* Settings.circuit(settings)
    const plan = yield* Settings.plan(settings, circuit)
    const subject = yield* shapes(circuit, given.examples)
    const phases = yield* Effect.forEach(plan.phases, (phase) => ofPhase(subject, plan, phase, given.engine))
    const memory = Math.max(...phases.map(({ footprint }) => footprint.memory))
    const json = {
      engine: given.engine,
      memory,
      phases: phases.map(({ footprint, ...phase }) => ({ ...phase, ...footprint }))
    }
    yield* Report.result(given.json, json, [...phases.flatMap(lines), ...warning(memory)])
  })
).pipe(
  Command.withDescription(
    "Say what training costs before it runs: numbers, operations, bytes, seconds a step on this machine"
  ),
  Command.withExamples([
    { command: "rai cost --circuit 2,100x100,1 --examples 100", description: "the paper's circuit" }
  ])
)

/** Bytes that a plan's most demanding phase holds on the data. */
export const memory = Effect.fnUntraced(function* (
  circuit: Circuit.Circuit,
  { inputs, targets, task }: Dataset.Dataset,
  plan: Plan.Plan
) {
  const subject = { circuit, task, x: inputs.shape, y: targets.shape }
  const sizes = yield* Effect.forEach(plan.phases, (phase) => Footprint.size(subject, phase))
  return Math.max(...sizes.map(({ memory }) => memory))
})

/** A line where a run would not fit in memory, be it the machine's or what a container may have of it. */
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
  /** Unknown where the engine is not there. */
  readonly secondsPerStep: number | undefined
}

const ofPhase = Effect.fnUntraced(function* (
  subject: PhaseState.Subject,
  plan: Plan.Plan,
  phase: Phase.Phase,
  engine: "onnx" | "tfjs-native"
) {
  const footprint = yield* Footprint.of(subject, phase)
  const steps = phase.steps ?? phase.epochs * Math.ceil(subject.x[0]! / phase.batch)
  const secondsPerStep = yield* predicted(footprint.flops, subject, new Plan.Plan({ ...plan, phases: [phase] }), engine)
  const costed: Costed = { kind: phase.kind, steps, footprint, secondsPerStep }
  return costed
})

/** Operations of a step that is short enough to be taken itself. */
const short = 2e9

/** More examples than these say nothing more of the machine. */
const most = 2000

/**
 * Seconds for one step of the plan's first phase: of a short step as measured; of a long one from two circuits of other depths, whose time
 * is what they have in common and a share for each operation.
 */
const predicted = Effect.fnUntraced(function* (
  flops: number,
  { circuit, x }: PhaseState.Subject,
  plan: Plan.Plan,
  engine: "onnx" | "tfjs-native"
) {
  const data = yield* Moons.make({ examples: Math.max(2, Math.min(x[0]!, most)), noise: 0.1, seed: 1 })
  const { inputs, outputs } = yield* FreeRun.widths(circuit)
  const timed = Effect.fnUntraced(function* (own: Circuit.Circuit) {
    const footprint = yield* Footprint.of(yield* shapes(own, data.inputs.shape[0]!), plan.phases[0]!)
    const speed = yield* Speed.measure(EngineChoice.table[engine], own, data, plan)
    return Option.map(speed, (steps) => ({ flops: footprint.flops, seconds: 1 / steps }))
  })
  if (flops < short && inputs === 2 && outputs === 1) {
    return Option.getOrUndefined(Option.map(yield* timed(circuit), ({ seconds }) => seconds))
  }
  const deep = (depth: number) => Circuit.perceptron([2, ...Array<number>(depth).fill(100), 1], { activation: "tanh" })
  const pair = Option.all([yield* timed(deep(48)), yield* timed(deep(96))])
  if (Option.isNone(pair)) return undefined
  const [less, more] = pair.value
  const each = Math.max((more.seconds - less.seconds) / (more.flops - less.flops), 0)
  // Of what is much smaller than both, a line through them says nothing.
  const least = less.seconds * Math.min(1, 0.05 + flops / less.flops)
  return Math.max(less.seconds + each * (flops - less.flops), least)
})

const count = (value: number): string => value.toLocaleString("en-US")

const lines = ({ footprint, kind, secondsPerStep, steps }: Costed): ReadonlyArray<string> => {
  const { auxiliaries, bytes, flops, memory, parameters, remembered } = footprint
  const time =
    secondsPerStep === undefined
      ? "unknown: it could not be measured here; see rai doctor"
      : `${(1000 * secondsPerStep).toPrecision(2)} ms a step, at most ${Report.seconds(steps * secondsPerStep)} for ${count(steps)} steps`
  return [
    kind,
    `  parameters  ${count(parameters)}`,
    `  auxiliaries ${count(auxiliaries)}`,
    `  remembered  ${count(remembered)} by the optimiser`,
    `  operations  ${(flops / 1e9).toPrecision(3)} GFLOP a step, ${Report.bytes(bytes)} moved`,
    `  memory      ${Report.bytes(memory)} while it trains, the runtime's own apart`,
    `  time        ${time}`
  ]
}
