/**
 * `rai diagram`: the circuit of a run, with its cuts.
 */
import { Phase, PlanSpec, TrainedStore } from "@rai/core"
import { Diagram, Picture } from "@rai/plots"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Report from "./Report.ts"

/** The command. */
export const command = Command.make(
  "diagram",
  {
    of: Argument.String("DIR").pipe(Argument.withDescription("a run's folder")),
    out: Flag.File("out").pipe(Flag.withDescription("the .svg or .png file to write"))
  },
  Effect.fn("diagram")(function* ({ of, out }) {
    const { circuit, origin } = yield* TrainedStore.load(of)
    // A plan that was made in code may say what no text can; then no cut is drawn.
    const plan = yield* Effect.option(PlanSpec.parse(origin.plan))
    const relaxing = Option.getOrUndefined(plan)?.phases.find(({ kind }) => kind !== "backpropagate")
    const cuts = relaxing === undefined ? new Set<string>() : Phase.sites(relaxing, circuit)
    yield* Picture.write(out, yield* Diagram.svg(circuit, { cuts }))
    yield* Report.line(out)
  })
).pipe(Command.withDescription("Draw the circuit of a run: blocks, shapes, parameters, cost, and where it was relaxed"))
