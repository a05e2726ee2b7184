/**
 * Turns the flags of `rai train` into the settings of a run.
 */
import { CircuitSpec, Pseudorandom, Source } from "@rai/core"
import { Effect } from "effect"
import { CommandFailed } from "./CommandFailed.ts"
import * as Settings from "./Settings.ts"
import { type Given, values } from "./TrainFlags.ts"
import { atLeastOne, UsageWrong } from "./UsageWrong.ts"

/** What the flags say about the run of one seed; undefined where they say nothing. */
const asked = (given: Given, seed: number | undefined) => {
  const { json, out, resume, seeds, ...came } = values(given)
  return {
    ...came,
    seed: seed ?? came.seed,
    validation: Settings.share(came.validation) ?? came.validation
  }
}

type Asked = ReturnType<typeof asked>

/** The settings of a run; a resumed run uses those that were `saved` and fails with `CommandFailed` on others. */
export const of = (
  given: Given,
  seed: number | undefined,
  saved: Settings.Settings | undefined
): Effect.Effect<Settings.Settings, CommandFailed | UsageWrong | CircuitSpec.CircuitInvalid> =>
  saved === undefined ? begun(asked(given, seed)) : resumed(asked(given, seed), saved)

const resumed = Effect.fnUntraced(function* (asked: Asked, saved: Settings.Settings) {
  for (const [key, value] of Object.entries(asked)) {
    const before = saved[key as keyof Asked]
    // A finished run can still be compared, a resumed one recorded for TensorBoard, and an automatic engine has been chosen already.
    const mayDiffer = key === "compare" || key === "tensorboard" || (key === "engine" && value === "auto")
    if (value === undefined || value === before || mayDiffer) continue
    return yield* new CommandFailed({
      expected: `${key} ${before ?? "absent"}, with which the run began`,
      came: `${value} came`,
      advice: "leave it out, or begin a run in another folder"
    })
  }
  const [compare, tensorboard] = [saved.compare ?? asked.compare, asked.tensorboard ?? saved.tensorboard]
  return new Settings.Settings({ ...saved, compare, tensorboard })
})

/** Fails with `UsageWrong` where no stage of a perceptron of these widths has what a flag asks for. */
const stagesFor = Effect.fnUntraced(function* (
  { activation, residual }: Pick<Asked, "activation" | "residual">,
  widths: ReadonlyArray<number>
) {
  const hidden = widths.slice(1, -1)
  const isEqual = hidden.some((width, i) => width === hidden[i + 1])
  const needs = [
    ["activation", activation, hidden.length > 0, "a hidden stage"],
    ["residual", residual, isEqual, "a hidden stage of equal widths"]
  ] as const
  for (const [flag, value, isMet, expected] of needs) {
    if (value === undefined || isMet) continue
    const came = `--circuit ${widths.join(",")} has none`
    return yield* new UsageWrong({ expected: `${expected} for --${flag}`, came, advice: `leave --${flag} out` })
  }
})

/** The settings of a new run; fails with `UsageWrong` where flags are missing, invalid or contradictory. */
export const begun = Effect.fnUntraced(function* (asked: Partial<Asked>) {
  const { activation, batch, circuit, data, device, engine, epochs, missing, patience, plan, residual, seed, unseen } =
    asked
  if (data === undefined || circuit === undefined) {
    const [missing, example] = data === undefined ? ["data", "moons-100"] : ["circuit", "2,100x100,1"]
    return yield* new UsageWrong({
      expected: `--${missing}`,
      came: "none came",
      advice: `add it, for instance --${missing} ${example}`
    })
  }
  if (seed !== undefined && (seed < 0 || seed > Pseudorandom.maximumSeed)) {
    return yield* new UsageWrong({
      expected: `a seed from 0 to ${Pseudorandom.maximumSeed}`,
      came: `${seed} came`,
      advice: "choose one of these"
    })
  }
  if (Settings.isCircuitFile(circuit) && (activation ?? residual) !== undefined) {
    return yield* new UsageWrong({
      expected: "a circuit's file to say its activation functions and residual blocks itself",
      came: `--${activation === undefined ? "residual" : "activation"} came too`,
      advice: "leave it out, or give widths"
    })
  }
  if (Settings.isWidths(circuit)) yield* stagesFor({ activation, residual }, yield* CircuitSpec.widths(circuit))
  const rule = missing ?? unseen
  if (rule !== undefined && Source.names.includes(data.replace(/:.*/, ""))) {
    return yield* new UsageWrong({
      expected: "rules for missing and unseen values with a file alone",
      came: `--${missing === undefined ? "unseen" : "missing"} ${rule} came with ${data}`,
      advice: "leave it out"
    })
  }
  if (device === "cuda" && !["auto", "onnx"].includes(engine ?? "auto")) {
    return yield* new UsageWrong({
      expected: "the engine onnx with --device cuda",
      came: `--engine ${engine} came`,
      advice: "leave --engine out, or --device"
    })
  }
  yield* atLeastOne("batch", batch, 64)
  yield* atLeastOne("epochs", epochs, 40)
  yield* atLeastOne("patience", patience, 30)
  if ((batch ?? epochs) !== undefined && (plan ?? "auto") !== "auto") {
    return yield* new UsageWrong({
      expected: "--batch and --epochs with the automatic plan alone",
      came: `--plan ${plan} came too`,
      advice: "write them into the plan, as in backpropagate:40:batch=64"
    })
  }
  return new Settings.Settings({
    ...asked,
    data,
    circuit,
    activation: activation ?? "sigmoid",
    plan: plan ?? "auto",
    start: asked.start ?? "auto",
    seed: seed ?? 0,
    engine: engine ?? "auto"
  })
})
