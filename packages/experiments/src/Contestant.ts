/**
 * A contestant of an experiment: a way of training as data, in the notation of `rai train`.
 */
import {
  Circuit,
  CircuitSpec,
  type Coordinates,
  DataInvalid,
  Dataset,
  type Phase,
  Plan,
  PlanSpec,
  Source,
  type Start
} from "@rai/core"
import { Effect } from "effect"
import type { Settings } from "./Experiment.ts"

/** One contestant, run once per seed. */
export interface Contestant {
  readonly name: string
  /** Whether the others are compared with it. */
  readonly control?: boolean
  /** The data, as `--data` takes it. */
  readonly data: string
  /** What the free run is scored on: another data set, or the share of the data to hold out. */
  readonly test: string | number
  /** Share of the training data on which settings are chosen. */
  readonly validation?: number
  /** The hidden widths, `100x100`; those of input and output are the data's. */
  readonly hidden: string
  readonly activation: Circuit.Activation
  /** `auto`, `backpropagation` (the control of the automatic plan), or phases as `--plan` takes them. */
  readonly plan: string
  /** As `--start` takes it; by default the automatic plan's choice, or PyTorch's start if `plan` gives phases. */
  readonly start?: Start.Name
  /** Ignored by the automatic plan, which has its own. */
  readonly coordinates?: Coordinates.Coordinates
  /** For the automatic plan; phases state their own. */
  readonly batches?: { readonly batch: number; readonly epochs: number }
  readonly stop?: Plan.Stop
}

/** A contestant ready to run. */
export interface Ready {
  readonly contestant: Contestant
  readonly circuit: Circuit.Circuit
  /** The circuit's widths, as `--circuit` takes them. */
  readonly widths: string
  readonly plan: Plan.Plan
  readonly train: Dataset.Dataset
  readonly test: Dataset.Dataset
  /** The halves of the test data: the best of several contestants is picked on one and judged on the other. */
  readonly halves: { readonly picking: Dataset.Dataset; readonly judging: Dataset.Dataset }
  readonly validation: Dataset.Dataset | undefined
}

/** Reads data and plan; hidden widths and steps from the settings take precedence over the contestant's own. Fails where there is no seed. */
export const ready = Effect.fn("Contestant.ready")(function* (contestant: Contestant, settings: Settings) {
  if (settings.seeds.length === 0) {
    const [expected, came, advice] = ["one seed or more", "none came", "give for instance [0, 1, 2]"]
    return yield* new DataInvalid({ source: "experiment", setting: "seeds", expected, came, advice })
  }
  const all = yield* Source.read(contestant.data)
  const { test, train: rest } =
    typeof contestant.test === "number"
      ? yield* Dataset.split(all, { share: contestant.test })
      : { train: all, test: yield* Source.read(contestant.test) }
  const { train, validation } = yield* keepAside(rest, contestant.validation)
  const widths = `${Dataset.features(all)},${settings.hidden ?? contestant.hidden},${Dataset.outputs(all)}`
  const circuit = Circuit.perceptron(yield* CircuitSpec.widths(widths), { activation: contestant.activation })
  const plan = atMost(yield* planOf(contestant, circuit), settings.steps)
  const { test: judging, train: picking } = yield* Dataset.split(test, { share: 0.5, source: "halves" })
  const halves = { picking, judging }
  const made: Ready = { contestant, circuit, widths, plan, train, test, halves, validation }
  return made
})

const keepAside = Effect.fnUntraced(function* (data: Dataset.Dataset, share: number | undefined) {
  if (share === undefined) return { train: data, validation: undefined }
  const { test: validation, train } = yield* Dataset.split(data, { share, source: "validation" })
  return { train, validation }
})

const planOf = Effect.fnUntraced(function* (contestant: Contestant, circuit: Circuit.Circuit) {
  const { batches, coordinates, plan: text, start, stop } = contestant
  if (text === "auto") return Plan.auto(circuit, { start, batches })
  if (text === "backpropagation") return Plan.autoBackpropagation(circuit, { start, batches })
  const written = yield* PlanSpec.parse(text)
  return new Plan.Plan({
    ...written,
    said: {
      ...(start === undefined ? {} : { start }),
      ...(coordinates === undefined ? {} : { coordinates }),
      ...(stop === undefined ? {} : { stop })
    }
  })
})

/** Limits every phase of the plan to this many steps, or epochs if it uses batches. */
export const atMost = (plan: Plan.Plan, steps: number | undefined): Plan.Plan =>
  steps === undefined ? plan : new Plan.Plan({ ...plan, phases: plan.phases.map((phase) => shortened(phase, steps)) })

const shortened = (phase: Phase.Phase, most: number): Phase.Phase =>
  phase.batch === undefined
    ? { ...phase, steps: Math.min(phase.steps, most) }
    : { ...phase, epochs: Math.min(phase.epochs, most) }

/** Describes a run on one line of Markdown. */
export const describe = ({ contestant, plan, widths }: Ready): string =>
  [
    `**${contestant.name}**: \`${contestant.data}\`, \`${widths}\` ${contestant.activation}, \`${Plan.print(plan)}\``,
    `${plan.start} start`,
    ...(plan.coordinates === "tanh" && contestant.activation === "sigmoid" ? ["tanh coordinates"] : []),
    ...(plan.stop === undefined ? [] : [`ends at a training loss below ${plan.stop.loss}`])
  ].join(", ")
