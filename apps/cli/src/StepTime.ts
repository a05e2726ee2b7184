/**
 * Predicts how long a training step takes, from steps that are timed.
 */
import { Circuit, Cut, Dataset, Footprint, FreeRun, NdArray, type PhaseState, Plan } from "@rai/core"
import { Effect, Option } from "effect"
import type * as EngineChoice from "./EngineChoice.ts"
import * as Memory from "./Memory.ts"
import * as Speed from "./Speed.ts"

/** A circuit to be trained on so many examples; of several outputs it is assumed that they tell classes apart. */
export const subject = (circuit: Circuit.Circuit, examples: number) =>
  Effect.map(FreeRun.widths(circuit), ({ inputs, outputs }): PhaseState.Subject => {
    const task = outputs === 1 ? "binary" : "classes"
    return { circuit, task, x: [examples, inputs], y: [examples, outputs] }
  })

/** Most that a step which is timed directly, rather than extrapolated, computes and moves: either takes some tenths of a second, or so many times longer. */
const short = { flops: 8e9, bytes: 2e9 }

/** How many times longer a step takes on the engines that are never the fastest, about. */
const slowness: Partial<Record<EngineChoice.Name, number>> = { "tfjs-wasm": 10, reference: 50 }

/** Most bytes that such a step may hold. */
const roomy = () => Memory.available() / 4

/** How many of the examples a step may have, by what it costs on all of them, to take neither long on the engine nor much of the memory. */
export const within = (
  examples: number,
  { bytes, flops, memory }: Pick<Footprint.Footprint, "bytes" | "flops" | "memory">,
  engine: EngineChoice.Name = "onnx"
): number => {
  const { [engine]: times = 1 } = slowness
  return Math.floor(
    examples * Math.min(1, short.flops / (times * flops), short.bytes / (times * bytes), roomy() / memory)
  )
}

/** Number of sites above which preparing the circuit takes some seconds. */
const many = 500

/** A training step on so many examples, all in one batch, that can be timed. */
const step = Effect.fnUntraced(function* (circuit: Circuit.Circuit, examples: number, plan: Plan.Plan) {
  const shaped = yield* subject(circuit, examples)
  const phases = plan.phases.map((phase) => (phase.batch === undefined ? phase : { ...phase, batch: examples }))
  const { bytes, flops, memory } = yield* Footprint.of(shaped, phases[0]!)
  return { circuit, shaped, plan: new Plan.Plan({ ...plan, phases }), bytes, flops, memory }
})

/**
 * Predicts the seconds for one step of the plan's first phase by timing steps: on all its examples, or, where that would take long or much of the
 * memory, on as many as take neither and on half of those, whose difference is the cost per example. Where even a few examples take it, or preparing
 * the circuit takes long, steps of two circuits of other depths give the cost per operation. Undefined where the engine is not available.
 */
export const predict = Effect.fn("StepTime.predict")(function* (
  circuit: Circuit.Circuit,
  examples: number,
  plan: Plan.Plan,
  engine: EngineChoice.Name
) {
  const timed = Effect.fnUntraced(function* ({
    circuit,
    flops,
    plan,
    shaped
  }: Effect.Success<ReturnType<typeof step>>) {
    const speed = yield* Speed.measure(engine, circuit, yield* anything(shaped), plan)
    return Option.map(speed, (steps) => ({ flops, seconds: 1 / steps }))
  })
  const all = plan.phases[0]!.batch ?? examples
  const whole = yield* step(circuit, all, plan)
  const { flops, memory } = whole
  const most = within(all, whole, engine)
  const isDivided = most < all && most >= 32 && Circuit.sites(circuit).length <= many
  if (!isDivided && (slowness[engine] ?? 1) * flops <= short.flops && memory <= roomy()) {
    return Option.getOrUndefined(Option.map(yield* timed(whole), ({ seconds }) => seconds))
  }
  const deep = (depth: number) =>
    step(
      Circuit.perceptron([2, ...Array<number>(depth).fill(100), 1], { activation: "tanh" }),
      Math.min(all, 100),
      onPerceptron(plan)
    )
  const two = isDivided
    ? ([yield* step(circuit, most >> 1, plan), yield* step(circuit, most, plan)] as const)
    : ([yield* deep(48), yield* deep(96)] as const)
  const pair = Option.all([yield* timed(two[0]), yield* timed(two[1])])
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
