/**
 * A runtime whose answers are too large by 0.01, as if the exported model had lost something.
 */
import { Effect, Record } from "effect"
import * as Onnxruntime from "../src/Onnxruntime.ts"

const runtime = Onnxruntime.Onnxruntime.defaultValue()

/** Runs an effect on this runtime. */
export const off = Effect.provideService(Onnxruntime.Onnxruntime, {
  ...runtime,
  open: (model, file) =>
    Effect.map(runtime.open(model, file), ({ run }) => ({
      run: (inputs) =>
        Effect.map(run(inputs), (outputs) =>
          Record.map(outputs, ({ data, shape }) => ({
            shape,
            data: data instanceof Float32Array ? data.map((y) => y + 0.01) : data
          }))
        )
    }))
})
