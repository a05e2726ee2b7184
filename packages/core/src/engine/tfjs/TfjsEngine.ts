/**
 * The default engine: programs on TensorFlow.js tensors; nothing of it is loaded before a layer is built.
 */
import { Effect, Layer } from "effect"
import { Engine } from "../Engine.ts"
import type { Backend } from "./Backend.ts"
import type { BackendMissing } from "./BackendMissing.ts"

const backends = Effect.promise(() => import("./Backend.ts"))

const on = (backend: Effect.Effect<Backend, BackendMissing>) =>
  Layer.effect(
    Engine,
    Effect.gen(function* () {
      const { make } = yield* Effect.promise(() => import("./BackendEngine.ts"))
      return yield* make(yield* backend)
    })
  )

const native = Effect.flatMap(backends, (found) => found.native)

const wasm = Effect.flatMap(backends, (found) => found.wasm)

/** libtensorflow; fails with a `BackendMissing` that says why where it does not load. */
export const layerNative: Layer.Layer<Engine, BackendMissing> = on(native)

/** WebAssembly. */
export const layerWasm: Layer.Layer<Engine, BackendMissing> = on(wasm)

/** libtensorflow where it loads, else WebAssembly, with a one-line warning. */
export const layer: Layer.Layer<Engine, BackendMissing> = on(
  Effect.catch(native, (missing) =>
    Effect.andThen(
      Effect.logWarning(
        `${missing.reason}: WebAssembly serves instead, about twenty times slower; rai setup (npx --package @rai/cli rai setup) fetches it`
      ),
      wasm
    )
  )
)
