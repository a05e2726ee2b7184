/**
 * Checks that circuit, data, plan and snapshot fit together, before anything is computed.
 */
import { Effect } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as Elements from "../circuit/Elements.ts"
import * as Alike from "../data/Alike.ts"
import * as Batches from "../data/Batches.ts"
import { DataInvalid } from "../data/DataInvalid.ts"
import type { Dataset } from "../data/Dataset.ts"
import * as Program from "../program/Program.ts"
import * as Cut from "../relaxation/Cut.ts"
import * as FreeRun from "../relaxation/FreeRun.ts"
import { weightOf } from "../relaxation/RelaxedObjective.ts"
import * as Uniforms from "../relaxation/Uniforms.ts"
import * as Shape from "../tensor/Shape.ts"
import { either } from "./Alternatives.ts"
import * as Bound from "./Bound.ts"
import * as Phase from "./Phase.ts"
import * as PhaseFault from "./PhaseFault.ts"
import type * as PhaseRun from "./PhaseRun.ts"
import type * as PhaseState from "./PhaseState.ts"
import type * as Plan from "./Plan.ts"
import * as Progress from "./Progress.ts"
import { PlanUnfit, WidthsMismatch } from "./TrainingFailed.ts"

/** Why a run cannot begin. */
export type Unfit = WidthsMismatch | PlanUnfit | DataInvalid

/** The properties of a data set that decide whether it fits. */
export interface Shaped extends Pick<Dataset, "task">, Alike.Named {
  readonly inputs: Pick<Dataset["inputs"], "shape">
  readonly targets: Pick<Dataset["targets"], "shape">
}

/**
 * Fails where circuit, data and plan do not fit together: input or output width that is not the data's, a batch larger than the data, a phase whose
 * cut matches nothing, whose numbers are invalid or whose output map cannot be trained alone, a stop that no run can reach, no examples, incompatible validation data.
 */
export const check = Effect.fn("Training.check")(function* (
  circuit: Circuit.Circuit,
  data: Shaped,
  plan: Plan.Plan,
  validation?: Shaped
) {
  // Building the free run reveals widths that do not fit each other.
  const { inputs, outputs } = yield* FreeRun.widths(circuit)
  const [features, targets] = [data.inputs.shape[1]!, data.targets.shape[1]!]
  if (inputs !== features || outputs !== targets) {
    const isImported = circuit._tag === "Block" && circuit.graph !== undefined
    return yield* new WidthsMismatch({ inputs, outputs, features, targets, isImported })
  }
  if (!Object.values(Circuit.parameters(circuit)).some(Circuit.isTrained)) {
    const advice = "add a linear map, as Circuit.perceptron([2, 8, 1]) has them"
    return yield* new PlanUnfit({ expected: "a circuit with parameters to train", came: "it has none", advice })
  }
  const empty = [data, validation].findIndex((of) => of?.inputs.shape[0] === 0)
  if (empty >= 0) {
    const source = empty === 0 ? "training data" : "validation data"
    const [expected, came, advice] = ["at least one example", "none came", "add rows"]
    return yield* new DataInvalid({ source, expected, came, advice })
  }
  const different = validation && unlike(data, validation)
  if (different !== undefined) {
    const expected = `validation data as the training data, ${different.expected}`
    const advice = "read them with the columns and classes of the training data"
    return yield* new PlanUnfit({ expected, came: `${different.came} came`, advice })
  }
  if (plan.phases.length === 0) {
    return yield* new PlanUnfit({
      expected: "a phase in the plan",
      came: "none came",
      advice: "add one, as in Plan.relax({ steps: 250 })"
    })
  }
  for (const phase of plan.phases) yield* fits(circuit, data, phase)
  const stops = [plan.stop?.loss, plan.stop?.share].filter((value) => value !== undefined)
  const below = stops.find((value) => !(value > 0))
  if (below !== undefined) {
    return yield* new PlanUnfit({
      expected: "a stop above 0, which a loss can fall below",
      came: `${below} came`,
      advice: "give for instance 0.02, or no stop"
    })
  }
  const { accuracy = 1 } = plan.stop ?? {}
  if (!(accuracy <= 1)) {
    const [expected, advice] = ["a stop at an accuracy of 1 at most", "give for instance 0.99, or leave it out"]
    return yield* new PlanUnfit({ expected, came: `${accuracy} came`, advice })
  }
})

/** Fails where the circuit is an imported network that takes whole numbers, such as tokens, and the data have others. */
export const elements = Effect.fnUntraced(function* (
  circuit: Circuit.Circuit,
  { inputNames, inputs }: Dataset,
  source: string
): Effect.fn.Return<void, DataInvalid> {
  const own = circuit._tag === "Block" ? circuit.graph?.names?.input.elements : undefined
  const wrong = own && Elements.unfit(own, inputs)
  if (wrong === undefined) return
  const column = inputNames[wrong.column - 1]!
  const [expected, came] = [wrong.expected, `${wrong.came} came in row ${wrong.row}`]
  const advice = "give what the network was trained on, neither scaled nor standardised"
  return yield* new DataInvalid({ source, column, expected, came, advice })
})

/** Fails where one phase does not fit. */
const fits = Effect.fnUntraced(function* (circuit: Circuit.Circuit, { inputs }: Shaped, phase: Phase.Phase) {
  const [examples, features] = inputs.shape as readonly [number, number]
  const fault = PhaseFault.of(phase)
  if (fault !== undefined) return yield* new PlanUnfit({ ...fault, advice: "change it in the plan, or leave it out" })
  if (phase.optimizer.name === "rprop" && phase.curve.name !== "constant") {
    return yield* new PlanUnfit({
      expected: "a rule whose rate can follow a curve",
      came: `${Phase.print(phase)} came, and Rprop finds its steps by itself`,
      advice: "leave the curve out, or take adam"
    })
  }
  if (Phase.trained(phase, circuit).length === 0) {
    return yield* new PlanUnfit({
      expected: `parameters that ${Phase.print(phase)} trains`,
      came: "«only» takes none",
      advice: `name some of ${Object.keys(Circuit.parameters(circuit)).slice(0, 3).join(", ")}, …, or leave it out`
    })
  }
  const repeated = Circuit.outputMaps(circuit).find(({ stack }) => stack.some((times) => times > 1))
  if (phase.only === "output" && repeated !== undefined) {
    return yield* new PlanUnfit({
      expected: `an output map of its own, which alone ${Phase.print(phase)} trains`,
      came: `«${repeated.path}» is one array for ${repeated.stack.join(" × ")} turns`,
      advice: "repeat the block once less, and write the last turn behind it"
    })
  }
  if (phase.batch !== undefined) yield* Batches.count(examples, phase.batch)
  // A block may require more of a training step than of the free run.
  yield* Program.check(() => Uniforms.step(circuit, [phase.batch ?? examples, features]))
  const sites = [...Phase.sites(phase, circuit)]
  const weight = phase.kind === "relax" ? phase.weight : undefined
  if (weight !== undefined) {
    const weights = sites.map((site, index) => [site, weightOf(weight, site, index)] as const)
    const wrong = weights.find(([, weight]) => !Bound.fromZero.fits(weight))
    if (wrong !== undefined) {
      const expected = `weight of ${phase.kind} to be ${Bound.fromZero.expected} for each cut`
      const came = `${wrong[1]} came for ${wrong[0]}`
      return yield* new PlanUnfit({ expected, came, advice: "change it in the plan, or leave it out" })
    }
  }
  if (phase.kind === "backpropagate" || sites.length > 0) return
  const kinds = new Set(Circuit.sites(circuit).map(({ block }) => block.kind))
  return yield* new PlanUnfit({
    expected: `a cut that matches some of the circuit's places, ${[...kinds].join(" and ")}, in ${Phase.print(phase)}`,
    came: "it matches none",
    advice: either(...otherCuts(phase, circuit), "backpropagate")
  })
})

/** The changes of a cut that matches nothing, each of which alone makes it match. */
const otherCuts = (phase: Phase.Relax | Phase.Alternate, circuit: Circuit.Circuit): ReadonlyArray<string> => {
  const changes: ReadonlyArray<readonly [string, Partial<Cut.Cut>]> = [
    ["cut more often (every=1)", { every: 1 }],
    ["cut after every map (after=linear)", { after: "linear" }],
    ...(phase.kind === "relax" ? [["cut the output too (output)", { output: true }] as const] : [])
  ]
  return changes.flatMap(([advice, change]) =>
    Cut.sites(circuit, { ...phase.cut, ...change }).size > 0 ? [advice] : []
  )
}

/**
 * Fails where a snapshot is of another circuit, of a phase that the plan lacks or trains otherwise, or of no step of the phase; `sizes` are those of
 * the parts that data come in.
 */
export const continues = Effect.fnUntraced(function* (
  subject: PhaseState.Subject,
  { phases }: Plan.Plan,
  { progress, state = {} }: Partial<PhaseRun.Snapshot>,
  sizes: ReadonlyArray<number> = subject.x.slice(0, 1)
) {
  const advice = "go on with the plan that the run began with"
  const phase = progress && phases[progress.phase]
  if (progress === undefined || phase === undefined) {
    return yield* new PlanUnfit({
      expected: `a snapshot of a phase of the plan, which has ${phases.length}`,
      came: progress === undefined ? "one without progress came" : `one of phase ${progress.phase + 1} came`,
      advice
    })
  }
  const { step } = progress
  const last = phase.steps ?? phase.epochs * sizes.reduce((sum, size) => sum + Math.floor(size / phase.batch), 0)
  if (!Number.isInteger(step) || step < 0 || step > last) {
    const expected = `a snapshot of a step of ${Phase.print(phase)}, a whole number from 0 to ${last}`
    return yield* new PlanUnfit({ expected, came: `one of step ${step} came`, advice })
  }
  const { continued, make } = yield* Effect.promise(() => import("./PhaseState.ts"))
  const layout = yield* make(subject, phase)
  const { perExample, stepped } = layout
  const found = continued(layout, subject, state)
  const parameters = Circuit.parameters(subject.circuit)
  for (const [name, ofBatch] of Object.entries(stepped)) {
    if (!(name in parameters) && !Progress.isBegun(progress)) continue
    const axis = perExample.get(name)
    const shape = axis === undefined ? ofBatch : ofBatch.with(axis, subject.x[0]!)
    const came = found[name]?.shape
    if (came !== undefined && Shape.equals(came, shape)) continue
    const of = name in parameters ? "this circuit" : Phase.print(phase)
    return yield* new PlanUnfit({
      expected: `a snapshot of ${of}, whose «${name}» is ${Shape.show(shape)}`,
      came: came === undefined ? "one without it came" : `${Shape.show(came)} came`,
      advice: name in parameters ? "go on with the circuit that the run began with" : advice
    })
  }
})

/** Fails unless the sizes of parts are whole numbers and every phase finds a batch in one of them. */
export const inParts = Effect.fnUntraced(function* (sizes: ReadonlyArray<number>, { phases }: Plan.Plan) {
  const largest = Math.max(...sizes)
  for (const { batch = 1 } of phases) {
    if (largest >= batch && sizes.every((size) => Number.isInteger(size) && size >= 1)) continue
    const expected = `whole numbers of examples, the largest of them at least the batch of ${batch}`
    const came = sizes.length === 0 ? "no part came" : `${sizes.slice(0, 5).join(", ")} came`
    const advice = "give larger parts or a smaller batch"
    return yield* new DataInvalid({ source: "parts", setting: "sizes", expected, came, advice })
  }
})

/** How data differ from the first, in task, widths, or the order of columns or classes; undefined where one circuit can be used with both. */
export const unlike = (
  first: Shaped,
  second: Shaped
): { readonly expected: string; readonly came: string } | undefined =>
  sort(first) === sort(second) ? Alike.disordered(first, second) : { expected: sort(first), came: sort(second) }

const sort = ({ inputs, targets, task }: Shaped): string =>
  `${task} with ${inputs.shape[1]} inputs and ${targets.shape[1]} ${targets.shape[1] === 1 ? "output" : "outputs"}`
