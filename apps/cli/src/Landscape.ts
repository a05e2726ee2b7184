/**
 * `rai landscape`: the decision landscape of a trained circuit or an exported model.
 */
import { Predict } from "@rai/export"
import { Landscape, Picture, Plane } from "@rai/plots"
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CommandFailed } from "./CommandFailed.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as Figures from "./Figures.ts"
import * as Network from "./Network.ts"
import * as PathText from "./PathText.ts"
import * as Report from "./Report.ts"
import * as RunFolder from "./RunFolder.ts"
import * as TrainingData from "./TrainingData.ts"

/** The command. */
export const command = Command.make(
  "landscape",
  {
    of: PathText.argument("DIR|model.onnx").pipe(Argument.withDescription("a run's folder or an exported model")),
    out: Flag.File("out").pipe(Flag.withDescription("the .png or .svg file to write"))
  },
  Effect.fn("landscape")(function* ({ of, out }) {
    yield* Picture.write(out, yield* Landscape.svg(yield* Network.isModel(of) ? ofModel(of) : ofRun(of)))
    yield* Report.line(out)
  })
)

const undrawable = (of: string, came = `${of} has others`) =>
  new CommandFailed({
    expected: "a circuit with two inputs and one logit",
    came,
    advice: "draw one that tells two classes apart by two numbers"
  })

const ofModel = Effect.fnUntraced(function* (file: string) {
  const origin = yield* Predict.origin(file)
  // A model whose inputs are already preprocessed (from an earlier version, or imported) has no columns to name.
  const { classes, columns, preprocessing } = origin ?? {}
  if (preprocessing?.columns.some(({ _tag }) => _tag === "Category")) return yield* undrawable(file)
  const described = { inputNames: columns ?? origin?.inputs ?? [], preprocessing: columns && preprocessing }
  const plane = described.inputNames.length === 2 ? Plane.of({ ...described, classNames: classes }) : {}
  const { outputs } = yield* Effect.catchTag(
    Predict.predict(file, Plane.inputs(plane)),
    "InputsUnfit",
    ({ expected }) => undrawable(file, `${file} takes ${expected}`)
  )
  const probability = outputs.probability
  if (probability === undefined) {
    return yield* new CommandFailed({
      expected: "a model with an output «probability», as rai export writes them for two classes",
      came: `${file} has ${Object.keys(outputs)
        .map((name) => `«${name}»`)
        .join(", ")}`,
      advice: "train it with rai train --circuit, and draw the run"
    })
  }
  if (probability.shape[1] !== 1) return yield* undrawable(file)
  return { ...plane, probability: probability.data as Float32Array }
})

const ofRun = Effect.fnUntraced(function* (folder: string) {
  const trained = yield* RunFolder.trained(folder)
  if (!Figures.canBeDrawn(trained)) return yield* undrawable(folder)
  const { train } = yield* Effect.flatMap(RunFolder.settings(folder), TrainingData.ofRun)
  const plane = Plane.of(trained, train)
  return { ...plane, ...(yield* Effect.provide(Figures.panel(trained, train, plane), EngineChoice.usual)) }
})
