/**
 * `rai diagram`: the circuit of a run, with its cuts.
 */
import { Cut, Phase, PlanSpec } from "@rai/core"
import { Diagram, Picture } from "@rai/plots"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Network from "./Network.ts"
import * as PathText from "./PathText.ts"
import * as Report from "./Report.ts"
import * as RunFolder from "./RunFolder.ts"

/** The command. */
export const command = Command.make(
  "diagram",
  {
    of: PathText.argument("DIR|model.onnx|model.json").pipe(
      Argument.withDescription("a run's folder, an ONNX model, or a layers-model of TensorFlow.js")
    ),
    out: Flag.File("out").pipe(Flag.withDescription("the .svg or .png file to write"))
  },
  Effect.fn("diagram")(function* ({ of, out }) {
    const network = yield* Network.at(of)
    if (network !== undefined) {
      const { circuit } = network
      yield* Picture.write(out, yield* Diagram.svg(circuit, { cuts: Cut.sites(circuit, Cut.paper) }))
      return yield* Report.line(out)
    }
    const { circuit, origin } = yield* RunFolder.trained(of)
    // A plan made in code may not be expressible as text; then no cuts are drawn.
    const plan = yield* Effect.option(PlanSpec.parse(origin.plan))
    const relaxing = Option.getOrUndefined(plan)?.phases.find(({ kind }) => kind !== "backpropagate")
    const cuts = relaxing === undefined ? new Set<string>() : Phase.sites(relaxing, circuit)
    yield* Picture.write(out, yield* Diagram.svg(circuit, { cuts }))
    yield* Report.line(out)
  })
)
