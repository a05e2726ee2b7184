/**
 * Programs on onnxruntime: each is written as an ONNX graph, and run by the runtime that serves exported models; its elementwise ends, such
 * as an optimiser's rule, become passes in WebAssembly over the same memory. Threads do the work, each with a share of the stages. It needs no
 * native set-up, so it is there where TensorFlow's library is not.
 */
import { Binding, Engine, type NdArray, type Program, Rewrite } from "@rai/core"
import { Effect, Layer } from "effect"
import * as Arena from "./Arena.ts"
import * as Compiled from "./Compiled.ts"
import type * as Place from "./Place.ts"
import * as Threads from "./Threads.ts"

const name = "onnx"

const failed = (error: { readonly message: string }) =>
  new Engine.EngineFailed({
    engine: name,
    // The runtime's own words, on one line.
    reason: error.message.replaceAll(/\s*\n\s*/g, "; ").trim()
  })

interface Prepared extends Compiled.Compiled, Threads.Opened {}

const session = Effect.fnUntraced(function* (threads: Threads.Threads, initial: Engine.Arrays) {
  const arena = Arena.make()
  const state = new Map<string, Place.Place>()
  const ready = new Map<Program.Program, Prepared>()
  const buffer = () => arena.memory.buffer

  const put = (entry: string, array: NdArray.NdArray): void => {
    const before = state.get(entry)
    const kind = Arena.kindOf(array)
    const stays = before !== undefined && before.kind === kind && before.shape.join() === array.shape.join()
    const place = stays ? before : arena.array(array.shape, kind)
    state.set(entry, place)
    Arena.write(buffer(), place, array)
  }
  const prepared = Effect.fnUntraced(function* (program: Program.Program, inputs: Engine.Arrays) {
    const known = ready.get(program)
    if (known?.holds(state, inputs)) return known
    if (known !== undefined) yield* known.close
    ready.delete(program)
    const lengths = yield* Binding.lengths(name, program, (input) => (inputs[input] ?? state.get(input))?.shape)
    const resolved = Rewrite.resolve(program, lengths)
    const compiled = yield* Effect.mapError(Compiled.make(resolved, arena, state, inputs, threads.most), failed)
    const opened = yield* Effect.mapError(threads.open(compiled.job, arena.memory), failed)
    const made: Prepared = { ...compiled, ...opened }
    ready.set(program, made)
    return made
  })
  const advance = Effect.fnUntraced(function* (program: Program.Program, inputs: Engine.Arrays = {}) {
    const { given, report, run } = yield* prepared(program, inputs)
    for (const [input, place] of Object.entries(given)) Arena.write(buffer(), place, inputs[input]!)
    yield* Effect.mapError(run, failed)
    return Object.fromEntries(Object.entries(report).map(([output, place]) => [output, Arena.read(buffer(), place)]))
  })
  const write = (entries: Engine.Arrays): void => {
    for (const [entry, array] of Object.entries(entries)) put(entry, array)
  }
  write(initial)
  yield* Effect.addFinalizer(() => Effect.forEach(ready.values(), ({ close }) => close, { discard: true }))
  const made: Engine.Session = {
    // Interrupted within, a step would leave a state that is half of it before and half after.
    advance: (program, inputs) => Effect.uninterruptible(advance(program, inputs)),
    read: (names = [...state.keys()]) =>
      Effect.sync(() => Object.fromEntries(names.map((entry) => [entry, Arena.read(buffer(), state.get(entry)!)]))),
    write: (entries) => Effect.sync(() => write(entries))
  }
  return made
})

const make = Effect.gen(function* () {
  const threads = yield* Threads.make
  return Engine.Engine.of({
    name,
    run: (program, inputs) =>
      Effect.scoped(Effect.flatMap(session(threads, {}), ({ advance }) => advance(program, inputs))),
    session: (state) => session(threads, state)
  })
})

/** The engine; its threads begin with the first program. A session keeps the programs that advance it ready; `run` makes its program ready each time. */
export const layer: Layer.Layer<Engine.Engine> = Layer.effect(Engine.Engine, make)
