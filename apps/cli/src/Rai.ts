/**
 * The rai command line: its commands, logging and exit.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { version } from "@rai/core"
import { Effect, Layer, Logger, References } from "effect"
import { Command } from "effect/cli"
import * as Commands from "./Commands.ts"
import * as Failure from "./Failure.ts"
import * as Signals from "./Signals.ts"
import * as SystemRefusal from "./SystemRefusal.ts"
import * as Terminal from "./Terminal.ts"
import * as UsageWrong from "./UsageWrong.ts"

// Only results go to stdout.
const logging = Layer.mergeAll(
  Logger.layer([Logger.consolePretty({ colors: Terminal.isCapable && process.env.NO_COLOR === undefined })]),
  Layer.succeed(Logger.LogToStderr, true)
)

process.stdout.on("error", ({ code = "nothing" }: NodeJS.ErrnoException) => {
  // The reader of a pipe, such as head, may close it early.
  if (code === "EPIPE") process.exit(0)
  const why = SystemRefusal.ofCode(code)
  process.stderr.write(`error: expected to write to stdout, but ${why}; check where the output is directed to\n`)
  process.exit(1)
})

// A long run is worth more than its progress lines.
process.stderr.on("error", () => {})

// The parser accepts an optional value only as --flag=value; people also write --flag value.
const args: Array<string> = []
for (const arg of process.argv.slice(2)) {
  if (args.at(-1) === "--tensorboard" && !arg.startsWith("-")) args.push(`${args.pop()}=${arg}`)
  else args.push(arg)
}

// The parser applies --log-level only while a command runs; failures are reported after that.
const level = /(^| )--log-level[= ](all|trace|debug)( |$)/i.test(args.join(" ")) ? "Debug" : "Info"

const rai = Command.make("rai").pipe(
  Command.withDescription(
    "Relaxed Activation Identity: train deep circuits with local gradients, export and serve them"
  ),
  Command.withSubcommands(await Commands.among(args))
)

Command.runWith(rai, { version })(args).pipe(
  Failure.report,
  Effect.provideService(References.MinimumLogLevel, level),
  Effect.provide(Layer.mergeAll(NodeServices.layer, logging, UsageWrong.layer)),
  Signals.runMain({ disableErrorReporting: true, teardown: Failure.teardown })
)
