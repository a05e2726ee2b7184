/**
 * `rai export`: a trained circuit as an ONNX model with its parity record.
 */

import { Encoding, type Trained, version, Warnings } from "@rai/core"
import { type Agreement, Model, Onnx, type Parity, Weights } from "@rai/export"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Described from "./Described.ts"
import * as Digests from "./Digests.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as Network from "./Network.ts"
import * as OutFile from "./OutFile.ts"
import * as PathText from "./PathText.ts"
import * as Report from "./Report.ts"
import * as RunFolder from "./RunFolder.ts"
import * as SystemRefusal from "./SystemRefusal.ts"
import * as TrainingData from "./TrainingData.ts"

/** The command. */
export const command = Command.make(
  "export",
  {
    run: PathText.argument("DIR|model.onnx|model.json").pipe(
      Argument.withDescription(
        "the folder that `rai train --out` wrote, an ONNX model, or a layers-model of TensorFlow.js"
      )
    ),
    out: Flag.File("out").pipe(Flag.withDescription("the .onnx file to write")),
    opset: Flag.Int("opset").pipe(
      Described.withDefault(`the operator set, ${Model.opsets[0]} to ${Model.opsets.at(-1)}`, Model.opset)
    ),
    expose: Flag.String("expose").pipe(
      Flag.withDescription("activations that become outputs too, by their path, with * for any one step: 1.*.0"),
      Flag.optional
    ),
    weights: Flag.Literals("weights", Weights.kinds).pipe(
      Described.withDefault(
        "what the weights are kept as: float16 halves the file, int8 quarters it; the cost is measured",
        "float32"
      )
    ),
    externalData: Flag.Boolean("external-data").pipe(
      Flag.withDescription(
        "write the weights into OUT.data beside the model, as is done anyway where it would exceed 2 GiB"
      ),
      Flag.withDefault(false)
    ),
    json: Report.jsonFlag
  },
  Effect.fn("export")(function* ({ expose, externalData, json, opset: asked, out, run, weights }) {
    yield* OutFile.endingIn(".onnx", "out", out)
    yield* OutFile.apart(out, { model: run })
    const network = yield* Network.at(run)
    const trained = network === undefined ? yield* RunFolder.trained(run) : asItIs(network)
    const training =
      network === undefined
        ? yield* trainingExamples(run, trained)
        : { why: "a network from elsewhere brings no data along" }
    const { preprocessing } = trained
    const warnings = preprocessing === undefined ? [] : Warnings.ofPreprocessing(preprocessing)
    yield* Effect.forEach(warnings, ({ message }) => Report.progress(`warning: ${message}`))
    const exposed = Option.match(expose, { onNone: () => ({}), onSome: (paths) => ({ expose: paths }) })
    const asks = { ...("why" in training ? {} : training), ...exposed, externalData, opset: asked, weights }
    const record = yield* Effect.scoped(
      Effect.gen(function* () {
        yield* Effect.forkScoped(Effect.delay(Report.progress(slow), untilSlow))
        return yield* Onnx.write(trained, out, asks)
      })
    )
    const { compared, cuda, examples, external = {}, maxAbsDifference, opset, rounding, roundingOn, sha256 } = record
    yield* Report.result(json, { file: out, sha256, opset, maxAbsDifference, examples }, [
      `${out}: opset ${opset}, sha256 ${sha256.slice(0, 12)}…`,
      ...changed(trained),
      ...Object.keys(external).map((name) => `its weights lie beside it, in ${name}: keep the two together`),
      `onnxruntime answers ${weights === "int8" ? "near what" : "as"} the free run does: ${apart(compared ?? record)}; float32's own rounding in this circuit: ${Report.number(rounding)}${roundingOn === undefined ? "" : `, measured on ${Report.count(roundingOn)} samples`}`,
      ...("why" in training ? [`${training.why}: random points stood in for them`] : []),
      compared === undefined
        ? `compared on the ${Report.count(examples)} examples of the record`
        : `compared on ${everything(compared)}; ${Report.count(examples)} of them stand in the record`,
      ...(cuda === undefined ? [] : [`on CUDA: ${apart(cuda)}`]),
      ...(record.weights === undefined ? [] : [cost(record.weights)])
    ])
  }, Effect.provide(EngineChoice.usual))
)

const untilSlow = "3 seconds"

/** What is said where an export is not done at once. */
const slow =
  "comparing onnxruntime's answers with the free run's, in float64 too; for a large circuit this takes a minute or more …"

/** What the model takes now where an imported network took something else: a program that feeds it must follow. */
const changed = ({ circuit, preprocessing }: Trained.Trained): ReadonlyArray<string> => {
  const input = circuit._tag === "Block" ? circuit.graph?.names?.input : undefined
  return input?.elements === undefined || preprocessing !== undefined
    ? []
    : [`the input «${input.name}» is float32 now, ${input.elements.type} in the original`]
}

/** An imported network with its own parameters; nothing is known about its inputs or its task. */
const asItIs = ({ circuit, parameters }: Onnx.Read): Trained.Trained => ({
  circuit,
  parameters,
  task: "regression",
  inputNames: [],
  origin: { plan: "none", seed: 0, engine: "none", version }
})

const cost = ({
  examples,
  kept,
  maxAbsDifference,
  otherClass,
  targets
}: NonNullable<Parity.ParityRecord["weights"]>): string => {
  const classes = otherClass === undefined ? "" : `, another class for ${Report.count(otherClass)} of them`
  return `weights in ${kept}: at most ${Report.number(maxAbsDifference)} from those in float32 on ${Report.count(examples)} examples${classes}${targets === undefined ? "" : `; ${metrics(targets)}`}`
}

/** How the metrics on the training examples' targets change with the smaller weights. */
const metrics = ({ after, before }: Record<"before" | "after", Parity.Met>): string => {
  if ("accuracy" in before && "accuracy" in after) {
    return `accuracy on them ${Report.percent(Number(after.accuracy))} instead of ${Report.percent(Number(before.accuracy))}`
  }
  const of = (met: Parity.Met) =>
    "r2" in met
      ? `R² ${Report.number(Number(met.r2))}, root mean squared error ${Report.number(Number(met.rootMeanSquaredError))}`
      : ""
  return `on their targets ${of(after)} instead of ${of(before)}`
}

const everything = ({
  batch = 1000,
  notFinite,
  random,
  training
}: NonNullable<Parity.ParityRecord["compared"]>): string =>
  `${Report.count(training)} training examples, ${Report.count(random)} random points and ${Report.count(notFinite)} with NaN or ∞ in batches of 1, 7 and ${Report.count(batch)}`

const apart = ({ maxAbsDifference, maxRelativeDifference }: Agreement.Differences): string =>
  `largest difference ${Report.number(maxAbsDifference)}, relative ${Report.number(maxRelativeDifference)}`

/** All the run's training data in the model's input format, or why random points stand in for them. */
const trainingExamples = Effect.fnUntraced(
  function* (run: string, { preprocessing }: Trained.Trained) {
    const settings = yield* RunFolder.settings(run)
    if (yield* TrainingData.isInParts(settings)) return { why: "the run's own data are too many to read at once" }
    const { digests, train } = yield* TrainingData.frames(settings)
    yield* Digests.sayIfChanged(settings, digests())
    const samples = preprocessing === undefined ? train.cells : yield* Encoding.raw(preprocessing, train)
    return { samples, targets: train.targets }
  },
  Effect.catch((error) => {
    const reason = error._tag === "PlatformError" ? SystemRefusal.line(error) : error.message
    return Effect.succeed({ why: `the run's own data cannot be read (${reason})` })
  })
)
