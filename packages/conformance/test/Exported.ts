/** Exports any program as a model and runs it once. */
import { Engine, type Program } from "@rai/core"
import { Graph, Model, Onnxruntime } from "@rai/export"
import { Effect } from "effect"

const name = "onnxruntime"

/** Runs `program` as a model that contains the `constants` and takes the other inputs. */
export const run = (
  program: Program.Program,
  inputs: Engine.Arrays,
  constants: Engine.Arrays
): Effect.Effect<Engine.Arrays, Engine.EngineFailed> =>
  Graph.fromProgram(program, constants).pipe(
    Effect.map((graph) => Model.encode(graph, { version: "test", metadata: {} })),
    Effect.flatMap((model) => Onnxruntime.run(model, inputs)),
    Effect.mapError((error) => {
      const cause = error._tag === "OnnxruntimeFailed" ? `${error.cause}` : ""
      return new Engine.EngineFailed({ engine: name, reason: `${error.message} ${cause}` })
    })
  )
