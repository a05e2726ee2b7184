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
    const { circuit, cuts } = yield* drawn(of)
    yield* Picture.write(out, yield* Diagram.svg(circuit, { cuts }))
    yield* Report.line(out)
  })
)

/** The circuit and where it is cut: as the run's plan said, or, in a network from elsewhere, where a plan cuts by default. */
const drawn = Effect.fnUntraced(function* (of: string) {
  const network = yield* Network.at(of)
  if (network !== undefined) return { circuit: network.circuit, cuts: Cut.sites(network.circuit, Cut.paper) }
  const { circuit, origin } = yield* RunFolder.trained(of)
  // A plan made in code may not be expressible as text; then no cuts are drawn.
  const plan = yield* Effect.option(PlanSpec.parse(origin.plan))
  const relaxing = Option.getOrUndefined(plan)?.phases.find(({ kind }) => kind !== "backpropagate")
  return { circuit, cuts: relaxing === undefined ? new Set<string>() : Phase.sites(relaxing, circuit) }
})
