/**
 * `rai cost`: what a training run costs, before it runs.
 */
import { Footprint, type Phase, type PhaseState, Plan, Training } from "@rai/core"
import { Effect, Struct } from "effect"
import { Command, Flag } from "effect/cli"
import * as Described from "./Described.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as Memory from "./Memory.ts"
import * as PathText from "./PathText.ts"
import * as Report from "./Report.ts"
import * as Settings from "./Settings.ts"
import * as Speed from "./Speed.ts"
import * as StepTime from "./StepTime.ts"
import { flags, values } from "./TrainFlags.ts"
import * as TrainSettings from "./TrainSettings.ts"
import { atLeastOne } from "./UsageWrong.ts"

/** The command. */
export const command = Command.make(
  "cost",
  {
    circuit: PathText.flag("circuit").pipe(
      Flag.withDescription(
        "widths, as in 2,100x100,1; or a circuit in a .json file; or an ONNX model or a layers-model of TensorFlow.js"
      )
    ),
    examples: Flag.Int("examples").pipe(Flag.withDescription("how many examples the training data hold")),
    engine: Flag.Literals("engine", EngineChoice.names).pipe(
      Described.withDefault("what computes; auto times onnx and tfjs-native, and takes the faster", "onnx")
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
    const subject = yield* StepTime.subject(circuit, examples)
    yield* Training.check(
      circuit,
      { task: subject.task, inputs: { shape: subject.x }, targets: { shape: subject.y } },
      plan
    )
    const engines = given.engine === "auto" ? Speed.engines : [given.engine]
    const { engine, phases } = fastest(yield* Effect.forEach(engines, (engine) => onEngine(subject, plan, engine)))
    const memory = Math.max(...phases.map(({ footprint }) => footprint.memory))
    const object = {
      engine,
      memory,
      phases: phases.map(({ footprint, ...phase }) => ({ ...phase, ...footprint }))
    }
    yield* Report.result(json === true, object, [
      ...phases.flatMap((phase) => lines(phase, engine)),
      ...Memory.warning(memory)
    ])
  })
).pipe(
  Command.withExamples([
    { command: "rai cost --circuit 2,100x100,1 --examples 100", description: "the paper's circuit" }
  ])
)

interface Costed {
  readonly kind: Phase.Phase["kind"]
  readonly steps: number
  readonly footprint: Footprint.Footprint
  /** Undefined where the engine is not available. */
  readonly secondsPerStep: number | undefined
}

const onEngine = (subject: PhaseState.Subject, plan: Plan.Plan, engine: EngineChoice.Name) =>
  Effect.map(
    Effect.forEach(plan.phases, (phase) => ofPhase(subject, plan, phase, engine)),
    (phases) => ({ engine, phases })
  )

/** The engine on which all phases together take the least time; the first where none is available. */
const fastest = <A extends { readonly phases: ReadonlyArray<Costed> }>(of: ReadonlyArray<A>): A => {
  const seconds = ({ phases }: A) =>
    phases.reduce((sum, { secondsPerStep, steps }) => sum + steps * (secondsPerStep ?? Number.POSITIVE_INFINITY), 0)
  return of.reduce((best, other) => (seconds(other) < seconds(best) ? other : best))
}

const ofPhase = Effect.fnUntraced(function* (
  subject: PhaseState.Subject,
  plan: Plan.Plan,
  phase: Phase.Phase,
  engine: EngineChoice.Name
) {
  const footprint = yield* Footprint.of(subject, phase)
  const steps = phase.steps ?? phase.epochs * Math.floor(subject.x[0]! / phase.batch)
  const alone = new Plan.Plan({ ...plan, phases: [phase] })
  const secondsPerStep = yield* StepTime.predict(subject.circuit, subject.x[0]!, alone, engine)
  const costed: Costed = { kind: phase.kind, steps, footprint, secondsPerStep }
  return costed
})

/** 0.14 ms, 13 ms, 70.3 s */
const stepTime = (seconds: number): string =>
  seconds < 1 ? `${Number((1000 * seconds).toPrecision(2))} ms` : Report.seconds(seconds)

const lines = (
  { footprint, kind, secondsPerStep, steps }: Costed,
  engine: EngineChoice.Name
): ReadonlyArray<string> => {
  const { auxiliaries, bytes, flops, memory, parameters, remembered } = footprint
  const time =
    secondsPerStep === undefined
      ? `unknown: ${engine} could not be measured here; see rai doctor`
      : `${stepTime(secondsPerStep)} a step on ${engine}, ${Report.duration(steps * secondsPerStep)} for all ${Report.count(steps)} of them; making ready and measuring come on top`
  return [
    kind,
    `  parameters  ${Report.count(parameters)}`,
    `  auxiliaries ${Report.count(auxiliaries)}`,
    `  remembered  ${Report.count(remembered)} by the optimiser`,
    `  operations  ${Report.quantity(flops, "FLOP")} a step, ${Report.bytes(bytes)} moved`,
    `  memory      ${Report.bytes(memory)} while it trains, the runtime's own apart`,
    `  time        ${time}`
  ]
}
