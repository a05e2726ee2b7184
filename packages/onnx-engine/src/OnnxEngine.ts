/**
 * Programs on onnxruntime: each is written as an ONNX graph and run by the runtime that serves exported models; its final elementwise operations,
 * such as an optimiser's rule, become WebAssembly passes over the same memory. The work is divided among threads, by stages. It needs no native
 * set-up, so it is available where TensorFlow's library is not.
 */
import { Binding, Engine, NdArray, Program, Rewrite } from "@rai/core"
import * as CudaProvider from "@rai/onnxruntime/cuda"
import { Effect, Layer, Schema, Semaphore } from "effect"
import * as Arena from "./Arena.ts"
import * as Compiled from "./Compiled.ts"
import type * as Job from "./Job.ts"
import * as Known from "./Known.ts"
import type * as Region from "./Region.ts"
import * as Threads from "./Threads.ts"

const name = "onnx"

const failed = (error: { readonly message: string }) =>
  new Engine.EngineFailed({
    engine: name,
    // The runtime's own message, on one line.
    reason: error.message.replaceAll(/\s*\n\s*/g, "; ").trim()
  })

/** Turns `ArenaFull` into a failure. */
const whole = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Engine.EngineFailed, R> =>
  Effect.catchDefect(effect, (defect) =>
    defect instanceof Arena.ArenaFull ? Effect.fail(failed(defect)) : Effect.die(defect)
  )

const isSame = (a: NdArray.NdArray, b: NdArray.NdArray): boolean =>
  a === b || (a.data.length === b.data.length && a.data.every((value, i) => Object.is(value, b.data[i])))

interface Prepared extends Compiled.Compiled, Threads.Opened {}

const session = Effect.fnUntraced(function* (threads: Threads.Threads, initial: Engine.Arrays) {
  const arena = Arena.make()
  const turns = yield* Semaphore.make(1)
  const state = new Map<string, Region.Region>()
  const ready = new Map<Program.Program, Prepared>()
  const buffer = () => arena.memory.buffer

  const settle = (entry: string, region: Region.Region): void => {
    const before = state.get(entry)
    state.set(entry, region)
    if (before !== undefined && before !== region) arena.free(before)
  }
  const put = (entry: string, array: NdArray.NdArray, kind = Arena.kindOf(array)): void => {
    const before = state.get(entry)
    const stays = before !== undefined && before.kind === kind && before.shape.join() === array.shape.join()
    const region = stays ? before : arena.array(array.shape, kind)
    Arena.write(buffer(), region, array)
    settle(entry, region)
  }
  /** Converts entries to the types that the program takes: integers may have been written where it takes floats. */
  const convert = ({ inputs }: Program.Program): void => {
    for (const [input, { dtype }] of Object.entries(inputs)) {
      const region = state.get(input)
      if (region !== undefined && region.kind !== Known.kinds[dtype]) {
        put(input, Arena.read(buffer(), region), Known.kinds[dtype])
      }
    }
  }
  const prepared = Effect.fnUntraced(function* (program: Program.Program, inputs: Engine.Arrays) {
    const known = ready.get(program)
    if (known?.holds(state, inputs)) return known
    if (known !== undefined) yield* known.close
    ready.delete(program)
    const lengths = yield* Binding.lengths(name, program, (input) => (inputs[input] ?? state.get(input))?.shape)
    const resolved = Rewrite.resolve(program, lengths)
    convert(resolved)
    const compiled = yield* Effect.mapError(Compiled.make(resolved, arena, state, inputs, threads.most), failed)
    const opened = yield* Effect.mapError(threads.open(compiled.job, arena.memory), failed)
    const made: Prepared = { ...compiled, ...opened }
    ready.set(program, made)
    return made
  })
  /** Writes the first turn's inputs to their regions, and those of later turns to temporary regions where they differ from the previous turn's. */
  const give = (given: Compiled.Compiled["given"], turns: ReadonlyArray<Engine.Arrays>) => {
    const apart: Array<Region.Region> = []
    const moves = turns.map((inputs, turn) =>
      Object.entries(given).flatMap(([input, to]): ReadonlyArray<Job.Move> => {
        if (turn === 0) Arena.write(buffer(), to, inputs[input]!)
        if (turn === 0 || isSame(inputs[input]!, turns[turn - 1]![input]!)) return []
        const from = arena.array(to.shape, to.kind)
        apart.push(from)
        Arena.write(buffer(), from, inputs[input]!)
        return [{ from, to }]
      })
    )
    return { moves, end: Effect.sync(() => apart.forEach(arena.free)) }
  }
  const together = Effect.fnUntraced(function* (
    { given, report, reshaped, run }: Prepared,
    turns: ReadonlyArray<Engine.Arrays>
  ) {
    const { end, moves } = give(given, turns)
    yield* Effect.ensuring(Effect.mapError(run(moves), failed), end)
    const came = Object.entries(report).map(([output, region]) => [output, Arena.read(buffer(), region)] as const)
    for (const [entry, region] of Object.entries(reshaped)) settle(entry, region)
    return Object.fromEntries(came)
  })
  const advance = Effect.fnUntraced(function* (program: Program.Program, turns: ReadonlyArray<Engine.Arrays>) {
    const [first, ...others] = turns as readonly [Engine.Arrays, ...Array<Engine.Arrays>]
    const ready = yield* prepared(program, first)
    const areAlike = Object.keys(ready.reshaped).length === 0 && others.every((inputs) => ready.holds(state, inputs))
    if (areAlike) return yield* together(ready, turns)
    let report = yield* together(ready, [first])
    for (const inputs of others) report = yield* together(yield* prepared(program, inputs), [inputs])
    return report
  })
  const write = (entries: Engine.Arrays) =>
    whole(
      Effect.sync(() => {
        for (const [entry, array] of Object.entries(entries)) put(entry, array)
      })
    )
  yield* write(initial)
  yield* Effect.addFinalizer(() => Effect.forEach(ready.values(), ({ close }) => close, { discard: true }))
  // One at a time and uninterruptible: an interrupted step would leave the state half updated.
  const inTurn = <A, E>(effect: Effect.Effect<A, E>) => Effect.uninterruptible(turns.withPermit(effect))
  const made: Engine.Session = {
    advance: (program, ...turns) => inTurn(whole(advance(program, turns.length === 0 ? [{}] : turns))),
    read: (names = [...state.keys()]) =>
      inTurn(
        Effect.sync(() => Object.fromEntries(names.map((entry) => [entry, Arena.read(buffer(), state.get(entry)!)])))
      ),
    write: (entries) => inTurn(write(entries))
  }
  return made
})

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
  Engine.Engine.of(
    Binding.guarded({
      name,
      run: (program, inputs) =>
        Effect.scoped(Effect.flatMap(session(threads, {}), ({ advance }) => advance(program, inputs))),
      session: (state) => session(threads, state)
    })
  )

/** The engine; its threads start with it. A session keeps the programs that advance it compiled; `run` compiles its program each time. */
export const layer: Layer.Layer<Engine.Engine> = Layer.effect(Engine.Engine, Effect.map(Threads.make("cpu"), on))

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
    const engine = on(yield* Threads.make("cuda"))
    const tried = Effect.flatMap(least, (program) => engine.run(program, { a: NdArray.full([1], 1) }))
    yield* Effect.mapError(tried, ({ message }) => cudaMissing(CudaProvider.explain(message)))
    return engine
  })
)
