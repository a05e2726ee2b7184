/**
 * What an experiment compares: a way of training as data, in the words of `rai train`.
 */
import {
  Circuit,
  CircuitSpec,
  type Coordinates,
  Dataset,
  type Phase,
  Plan,
  PlanSpec,
  Source,
  type Start
} from "@rai/core"
import { Effect } from "effect"
import type { Settings } from "./Experiment.ts"

/** One contestant; every seed makes a run of it. */
export interface Contestant {
  readonly name: string
  /** Whether the others are held against it. */
  readonly control?: boolean
  /** As `--data` takes it. */
  readonly data: string
  /** What the free run is scored on: another set, or the share of the data that is kept aside. */
  readonly test: string | number
  /** The share of the training data that choices between settings are made on. */
  readonly validation?: number
  /** The widths between input and output, which are the data's: `100x100`. */
  readonly hidden: string
  readonly activation: Circuit.Activation
  /** `auto`, `backpropagation` (what the automatic plan is held against), or phases as `--plan` takes them. */
  readonly plan: string
  /** As `--start` takes it; without one, the automatic plan's choice, and PyTorch's with phases. */
  readonly start?: Start.Name
  /** Those of the automatic plan are its own. */
  readonly coordinates?: Coordinates.Coordinates
  /** For the automatic plan; phases have their own. */
  readonly batches?: { readonly batch: number; readonly epochs: number }
  readonly stop?: Plan.Stop
}

/** A contestant made ready to run. */
export interface Ready {
  readonly contestant: Contestant
  readonly circuit: Circuit.Circuit
  /** The circuit's widths as `--circuit` takes them. */
  readonly widths: string
  readonly plan: Plan.Plan
  readonly train: Dataset.Dataset
  readonly test: Dataset.Dataset
  /** The test data in halves: on one the best of several contestants is picked, on the other it is judged. */
  readonly halves: { readonly picking: Dataset.Dataset; readonly judging: Dataset.Dataset }
  readonly validation: Dataset.Dataset | undefined
}

/** Reads data and plan; the settings' hidden widths and steps stand in for the contestant's own. */
export const ready = Effect.fn("Contestant.ready")(function* (contestant: Contestant, settings: Settings) {
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

/** The plan with no phase longer than so many steps, or epochs where it has batches. */
export const atMost = (plan: Plan.Plan, steps: number | undefined): Plan.Plan =>
  steps === undefined ? plan : new Plan.Plan({ ...plan, phases: plan.phases.map((phase) => shortened(phase, steps)) })

const shortened = (phase: Phase.Phase, most: number): Phase.Phase =>
  phase.batch === undefined
    ? { ...phase, steps: Math.min(phase.steps, most) }
    : { ...phase, epochs: Math.min(phase.epochs, most) }

/** What is run, on one line of Markdown. */
export const describe = ({ contestant, plan, widths }: Ready): string =>
  [
    `**${contestant.name}**: \`${contestant.data}\`, \`${widths}\` ${contestant.activation}, \`${Plan.print(plan)}\``,
    `${plan.start} start`,
    ...(plan.coordinates === "tanh" && contestant.activation === "sigmoid" ? ["tanh coordinates"] : []),
    ...(plan.stop === undefined ? [] : [`ends at a training loss below ${plan.stop.loss}`])
  ].join(", ")
