/**
 * `npm run judge`: submits random exported models to `onnx`'s checker, its shape inference and its reference evaluator, to Python's onnxruntime and
 * to OpenCV.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import type { NdArray } from "@rai/core"
import { Console, Effect, FileSystem, Option, Path, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as Python from "./Python.ts"
import * as RandomModel from "./RandomModel.ts"
import * as Verdict from "./Verdict.ts"

const plain = ({ data, shape }: NdArray.NdArray) => [shape, Array.from(data)]

const write = Effect.fnUntraced(function* (
  folder: string,
  { bytes, name, outputs, trained, x }: RandomModel.RandomModel
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* fs.makeDirectory(path.join(folder, name), { recursive: true })
  yield* fs.writeFile(path.join(folder, name, "model.onnx"), bytes)
  const answers = Object.fromEntries(Object.entries(outputs).map(([output, array]) => [output, plain(array)]))
  const expected = JSON.stringify({ task: trained.task, x: plain(x), outputs: answers })
  yield* fs.writeFileString(path.join(folder, name, "expected.json"), expected)
})

const judged = Effect.fnUntraced(function* (python: string, folder: string) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const script = new URL("judge.py", import.meta.url).pathname
  const text = yield* spawner.string(ChildProcess.make(python, [script, folder], { stderr: "inherit" }))
  const lines = text.split("\n").filter((line) => line !== "")
  return yield* Effect.forEach(lines, (line) => Schema.decodeEffect(Verdict.Verdicts)(line))
})

const judge = Command.make(
  "judge",
  {
    models: Flag.Int("models").pipe(Flag.withDescription("how many"), Flag.withDefault(300)),
    from: Flag.Int("from").pipe(Flag.withDescription("the seed of the first"), Flag.withDefault(0)),
    out: Flag.String("out").pipe(Flag.withDescription("a folder that keeps the models"), Flag.optional)
  },
  Effect.fn("judge")(function* ({ from, models: count, out }) {
    const fs = yield* FileSystem.FileSystem
    const python = yield* Python.python
    const folder = Option.isSome(out) ? out.value : yield* fs.makeTempDirectoryScoped({ prefix: "judge-" })
    const models = yield* Effect.forEach(
      Array.from({ length: count }, (_, i) => from + i),
      RandomModel.make
    )
    yield* Effect.forEach(models, (model) => write(folder, model))
    const verdicts = yield* judged(python, folder)
    yield* Effect.forEach(Verdict.lines(models, verdicts), (line) => Console.log(line))
    if (!Verdict.isClean(models, verdicts))
      yield* Effect.sync(() => {
        process.exitCode = 1
      })
  }, Effect.scoped)
).pipe(
  Command.withDescription("Hold random exported models before outside judges"),
  Command.withSubcommands([
    Command.make("setup", {}, () => Python.setUp).pipe(
      Command.withDescription("Set the judges up: a virtual environment with onnx, onnxruntime and OpenCV")
    )
  ])
)

Command.run(judge, { version: "0.1.0" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
