/**
 * Programs on onnxruntime: each is written as one ONNX graph, and run by the runtime that serves exported models; its elementwise ends, such
 * as an optimiser's rule, become passes in WebAssembly over the same memory. It needs no native set-up, so it is there where TensorFlow's
 * library is not.
 */
import { Binding, Engine, type Program } from "@rai/core"
import { Onnxruntime } from "@rai/export"
import { Effect, Layer, Scope } from "effect"
import * as Arena from "./Arena.ts"
import * as Compiled from "./Compiled.ts"

const name = "onnx"

const failed = (error: { readonly message: string; readonly cause?: unknown }) =>
  new Engine.EngineFailed({
    engine: name,
    // The runtime's own words, on one line.
    reason: `${error.message} ${error.cause ?? ""}`.replaceAll(/\s*\n\s*/g, "; ").trim()
  })

const make = Effect.gen(function* () {
  const runtime = yield* Onnxruntime.Onnxruntime

  const session = Effect.fnUntraced(function* (initial: Engine.Arrays) {
    const scope = yield* Effect.scope
    const arena = Arena.make()
    const ready = new Map<Program.Program, Compiled.Compiled>()
    const state: Compiled.State = new Map()
    const write = (entries: Engine.Arrays): void => {
      for (const [entry, array] of Object.entries(entries)) Compiled.put(arena, state, entry, array)
    }
    const prepared = Effect.fnUntraced(function* (program: Program.Program) {
      const compiled =
        ready.get(program) ??
        (yield* Compiled.make(program, arena).pipe(
          Scope.provide(scope),
          Effect.provideService(Onnxruntime.Onnxruntime, runtime)
        ))
      ready.set(program, compiled)
      return compiled
    })
    const advance = Effect.fnUntraced(function* (program: Program.Program, inputs: Engine.Arrays = {}) {
      yield* Binding.lengths(name, program, (input) => (inputs[input] ?? state.get(input))?.shape)
      const compiled = yield* Effect.mapError(prepared(program), failed)
      return yield* Effect.mapError(compiled(state, inputs), failed)
    })
    write(initial)
    const made: Engine.Session = {
      // Interrupted within, a step would leave a state that is half of it before and half after.
      advance: (program, inputs) => Effect.uninterruptible(advance(program, inputs)),
      read: (names = [...state.keys()]) =>
        Effect.sync(() => Object.fromEntries(names.map((entry) => [entry, Compiled.copy(state.get(entry)!)]))),
      write: (entries) => Effect.sync(() => write(entries))
    }
    return made
  })

  const run = (program: Program.Program, inputs: Engine.Arrays) =>
    Effect.scoped(Effect.flatMap(session({}), ({ advance }) => advance(program, inputs)))

  return Engine.Engine.of({ name, run, session })
})

/** The engine. A session keeps the programs that advance it ready; `run` makes its program ready each time. */
export const layer: Layer.Layer<Engine.Engine> = Layer.effect(Engine.Engine, make)
