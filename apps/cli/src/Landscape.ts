/**
 * `rai landscape`: the decision landscape of a trained circuit or an exported model.
 */
import { TrainedStore } from "@rai/core"
import { Predict } from "@rai/export"
import { Landscape, Picture } from "@rai/plots"
import { Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CommandFailed } from "./CommandFailed.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as Figures from "./Figures.ts"
import * as Report from "./Report.ts"
import * as RunFolder from "./RunFolder.ts"
import * as Settings from "./Settings.ts"

const plane = { grid: 200 }

/** The command. */
export const command = Command.make(
  "landscape",
  {
    of: Argument.String("DIR|model.onnx").pipe(Argument.withDescription("a run's folder or an exported model")),
    out: Flag.File("out").pipe(Flag.withDescription("the .png or .svg file to write"))
  },
  Effect.fn("landscape")(function* ({ of, out }) {
    const panel = yield* of.endsWith(".onnx") ? ofModel(of) : ofRun(of)
    yield* Picture.write(out, yield* Landscape.svg({ ...plane, ...panel }))
    yield* Report.line(out)
  })
).pipe(Command.withDescription("Draw the decision landscape on [-3,3]²"))

const undrawable = (of: string) =>
  new CommandFailed({
    expected: "a circuit with two inputs and one logit",
    came: `${of} has others`,
    advice: "draw one that was trained on points in the plane"
  })

const ofModel = Effect.fnUntraced(function* (file: string) {
  const { outputs } = yield* Effect.catchTag(Predict.predict(file, Landscape.inputs(plane)), "InputsUnfit", () =>
    undrawable(file)
  )
  const probability = outputs.probability
  if (probability === undefined || probability.shape[1] !== 1) return yield* undrawable(file)
  return { probability: probability.data as Float32Array }
})

const ofRun = Effect.fnUntraced(function* (folder: string) {
  const trained = yield* TrainedStore.load(folder)
  if (!Figures.canBeDrawn(trained)) return yield* undrawable(folder)
  const { train } = yield* Effect.flatMap(RunFolder.settings(folder), Settings.data)
  return yield* Effect.provide(Figures.panel(trained, train, plane), EngineChoice.table.auto)
})
