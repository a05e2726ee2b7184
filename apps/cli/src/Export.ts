/**
 * `rai export`: a trained circuit as an ONNX model with its parity record.
 */

import { TrainedStore } from "@rai/core"
import { Model, Onnx } from "@rai/export"
import { Landscape } from "@rai/plots"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CommandFailed } from "./CommandFailed.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as Report from "./Report.ts"

/** The command. */
export const command = Command.make(
  "export",
  {
    run: Argument.String("DIR").pipe(Argument.withDescription("the folder that `rai train --out` wrote")),
    out: Flag.File("out").pipe(Flag.withDescription("the .onnx file to write")),
    opset: Flag.Int("opset").pipe(
      Flag.withDescription(`the operator set, ${Model.opsets[0]} to ${Model.opsets.at(-1)}`),
      Flag.withDefault(Model.opset)
    ),
    expose: Flag.String("expose").pipe(
      Flag.withDescription("activations that become outputs too, by their path, with * for any one step: 1.*.0"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(Flag.withDefault(false))
  },
  Effect.fn("export")(function* ({ expose, json, opset: asked, out, run }) {
    if (!out.endsWith(".onnx")) {
      const advice = `write --out ${out}.onnx`
      return yield* new CommandFailed({ expected: "--out to end in .onnx", came: `${out} came`, advice })
    }
    const trained = yield* TrainedStore.load(run)
    const samples = trained.inputNames.length === 2 ? { samples: Landscape.inputs({ grid: 8 }) } : {}
    const exposed = Option.match(expose, { onNone: () => ({}), onSome: (paths) => ({ expose: paths }) })
    const record = yield* Onnx.write(trained, out, { ...samples, ...exposed, opset: asked })
    const { examples, maxAbsDifference, maxRelativeDifference, opset, rounding, sha256 } = record
    yield* Report.result(json, { file: out, sha256, opset, maxAbsDifference, examples }, [
      `${out}: opset ${opset}, sha256 ${sha256.slice(0, 12)}…`,
      `onnxruntime answers as the free run does: largest difference ${Report.number(maxAbsDifference)} on ${examples} examples`,
      `relative ${Report.number(maxRelativeDifference)}, where float32's own rounding in this circuit is ${Report.number(rounding)}`
    ])
  }, Effect.provide(EngineChoice.table.auto))
).pipe(Command.withDescription("Write a trained circuit as an ONNX model with its parity record"))
