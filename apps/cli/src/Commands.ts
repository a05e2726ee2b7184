/**
 * The commands by name: what each is for, and its module, loaded only when the command is called.
 */
import { Command } from "effect/cli"

const command = <const Name extends string, Input, ContextInput, E, R>(
  name: Name,
  description: string,
  read: () => Promise<{ readonly command: Command.Command<Name, Input, ContextInput, E, R> }>
) => ({
  name,
  named: Command.withDescription(Command.make(name), description),
  read: async () => Command.withDescription((await read()).command, description)
})

const table = [
  command(
    "train",
    "Train a circuit with Relaxed Activation Identity, backpropagation, or both in turn",
    () => import("./Train.ts")
  ),
  command(
    "evaluate",
    "Measure a trained circuit or an exported model on data, as scikit-learn does",
    () => import("./Evaluate.ts")
  ),
  command("history", "What a run measured, step by step", () => import("./History.ts")),
  command(
    "export",
    "Write a trained circuit, or a network from elsewhere, as an ONNX model with its parity record",
    () => import("./Export.ts")
  ),
  command("verify", "Check a model against its parity record, and say what it holds", () => import("./Verify.ts")),
  command(
    "predict",
    "Predict with an exported model: class and probability (of two classes, that of the second), or value, one line a row",
    () => import("./Predict.ts")
  ),
  command(
    "landscape",
    "Draw the decision landscape over two inputs, in their own units",
    () => import("./Landscape.ts")
  ),
  command(
    "diagram",
    "Draw the circuit of a run, or of a network from elsewhere: blocks, shapes, parameters, cost, and where it was relaxed",
    () => import("./Diagram.ts")
  ),
  command(
    "cost",
    "Say what training costs before it runs: numbers, operations, bytes, seconds a step on this machine",
    () => import("./Cost.ts")
  ),
  command(
    "serve",
    "Serve models on the Open Inference Protocol until SIGTERM, SIGINT or SIGHUP; then what is under way is answered. OpenTelemetry's traces go to $OTEL_EXPORTER_OTLP_ENDPOINT where that is set",
    () => import("./Serve.ts")
  ),
  command(
    "experiment",
    "Redo a figure of the paper or answer one of its open questions, as a page with plots",
    () => import("./Experiment.ts")
  ),
  command(
    "doctor",
    "Say what this machine has: Node, engines, execution providers, library versions, cores",
    () => import("./Doctor.ts")
  ),
  command(
    "setup",
    "Fetch TensorFlow's native library, which no package brings along; what is there already stays as it is",
    () => import("./Setup.ts")
  ),
  command(
    "demo",
    "Show the paper's claim from data to an answered request; what npm start runs",
    () => import("./Demo.ts")
  )
]

/** All commands. Those that the arguments do not call have a name and description only, which is all that the help text needs. */
export const among = (args: ReadonlyArray<string>) => {
  const called = args.find((arg) => table.some(({ name }) => name === arg))
  // Shell completion needs the flags of every command, and the wizard lets the user choose one.
  const areAll = args.some((arg) => /^--(completions|wizard)/.test(arg))
  return Promise.all(table.map(({ name, named, read }) => (areAll || name === called ? read() : named)))
}
