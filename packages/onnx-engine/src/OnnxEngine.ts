/**
 * Programs on onnxruntime: each is written as an ONNX graph and run by the runtime that serves exported models; its final elementwise operations,
 * such as an optimiser's rule, become WebAssembly passes over the same memory. The work is divided among threads, by stages. It needs no native
 * set-up, so it is available where TensorFlow's library is not.
 */
import { Binding, Engine, NdArray, Program } from "@rai/core"
import * as CudaProvider from "@rai/onnxruntime/cuda"
import { Effect, Layer, Schema } from "effect"
import * as Session from "./Session.ts"
import * as Threads from "./Threads.ts"

/** A device that graphs cannot be computed on here. */
export class DeviceMissing extends Schema.TaggedError<DeviceMissing>()("DeviceMissing", {
  device: Schema.Literals(["cuda"]),
  reason: Schema.String
}) {
  override get message(): string {
    return `expected a device ${this.device} to compute on, but ${this.reason}; \`rai doctor\` shows what is there, and without --device the processor computes`
  }
}

const on = (threads: Threads.Threads) =>
  Binding.guarded({
    name: Session.name,
    run: (program, inputs) =>
      Effect.scoped(Effect.flatMap(Session.make(threads, {}), ({ advance }) => advance(program, inputs))),
    session: (state) => Session.make(threads, state)
  })

/** The engine; its threads start with it. A session keeps the programs that advance it compiled; `run` compiles its program each time. */
export const layer: Layer.Layer<Engine.Engine> = Layer.effect(Engine.Engine, Effect.flatMap(Threads.make("cpu"), on))

const cudaMissing = (reason: string) => new DeviceMissing({ device: "cuda", reason })

/** One addition, which any working device can compute. */
const least = Program.make({ a: [1] }, ({ a }) => ({ b: a.add(a) }))

/**
 * The engine on CUDA, through onnxruntime's provider for it: graphs run on the GPU, the passes of the rules on the CPU, and data that both need are
 * copied back and forth at each step. Fails with `DeviceMissing` where no graph can be computed so.
 */
export const layerCuda: Layer.Layer<Engine.Engine, DeviceMissing> = Layer.effect(
  Engine.Engine,
  Effect.gen(function* () {
    const missing = CudaProvider.missing()
    if (missing !== undefined) return yield* cudaMissing(CudaProvider.notInstalled(missing))
    const engine = yield* on(yield* Threads.make("cuda"))
    const tried = Effect.flatMap(least, (program) => engine.run(program, { a: NdArray.full([1], 1) }))
    yield* Effect.mapError(tried, ({ message }) => cudaMissing(CudaProvider.explain(message)))
    return engine
  })
)
