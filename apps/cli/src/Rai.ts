/**
 * The rai command line: its commands, and how they end.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { version } from "@rai/core"
import { Effect, Layer, Logger } from "effect"
import { Command } from "effect/cli"
import * as Cost from "./Cost.ts"
import * as Demo from "./Demo.ts"
import * as Doctor from "./Doctor.ts"
import * as Experiment from "./Experiment.ts"
import * as Export from "./Export.ts"
import * as Failure from "./Failure.ts"
import * as Landscape from "./Landscape.ts"
import * as Predict from "./Predict.ts"
import * as Serve from "./Serve.ts"
import * as Setup from "./Setup.ts"
import * as Train from "./Train.ts"
import * as UsageWrong from "./UsageWrong.ts"
import * as Verify from "./Verify.ts"

const rai = Command.make("rai").pipe(
  Command.withDescription(
    "Relaxed Activation Identity: train deep circuits with local gradients, export and serve them"
  ),
  Command.withSubcommands([
    Train.command,
    Export.command,
    Verify.command,
    Predict.command,
    Landscape.command,
    Cost.command,
    Serve.command,
    Experiment.command,
    Doctor.command,
    Setup.command,
    Demo.command
  ])
)

// Results alone go to stdout.
const logging = Layer.mergeAll(
  Logger.layer([Logger.consolePretty({ colors: process.stderr.isTTY === true && process.env.NO_COLOR === undefined })]),
  Layer.succeed(Logger.LogToStderr, true)
)

Command.run(rai, { version }).pipe(
  Failure.report,
  Effect.provide(Layer.mergeAll(NodeServices.layer, logging, UsageWrong.layer)),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: Failure.teardown })
)
