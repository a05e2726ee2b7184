/**
 * A session: entries in memory, and the programs that advance them, each compiled once.
 */
import { Binding, Engine, type NdArray, type Program, Rewrite } from "@rai/core"
import { Effect, type Scope, Semaphore } from "effect"
import * as Arena from "./Arena.ts"
import * as Compiled from "./Compiled.ts"
import type * as Job from "./Job.ts"
import type * as Region from "./Region.ts"
import { Store } from "./Store.ts"
import type * as Threads from "./Threads.ts"

/** Name of the engine. */
export const name = "onnx"

/** A program that is ready to run. */
interface Ready extends Compiled.Compiled, Threads.Opened {}

/** What one run of a program is given beside the state. */
type Inputs = Engine.Arrays

/** Opens a session with these entries on an engine's threads. */
export const make = Effect.fnUntraced(function* (
  threads: Threads.Threads,
  initial: Engine.Arrays
): Effect.fn.Return<Engine.Session, Engine.EngineFailed, Scope.Scope> {
  const store = new Store()
  const compiled = new Map<Program.Program, Ready>()

  const ready = Effect.fnUntraced(function* (program: Program.Program, inputs: Inputs) {
    const known = compiled.get(program)
    if (known?.holds(store.state, inputs)) return known
    if (known !== undefined) yield* known.close
    compiled.delete(program)
    const shapeOf = (input: string) => (inputs[input] ?? store.state.get(input))?.shape
    const resolved = Rewrite.resolve(program, yield* Binding.lengths(name, program, shapeOf))
    store.convert(resolved)
    const made = Compiled.make(resolved, store.arena, store.state, inputs, threads.limit)
    const whole = yield* Effect.mapError(made, failed)
    const opened = yield* Effect.mapError(threads.open(whole.job, store.arena.memory), failed)
    const both: Ready = { ...whole, ...opened }
    compiled.set(program, both)
    return both
  })

  /** Runs a program once for each of the inputs, and returns what the last run reports. */
  const run = Effect.fnUntraced(function* (
    { given, report, reshaped, run: runs }: Ready,
    turns: ReadonlyArray<Inputs>
  ) {
    const { end, moves } = give(store, given, turns)
    yield* Effect.ensuring(Effect.mapError(runs(moves), failed), end)
    const came = store.read(report)
    for (const [entry, region] of Object.entries(reshaped)) store.move(entry, region)
    return came
  })

  const advance = Effect.fnUntraced(function* (program: Program.Program, turns: ReadonlyArray<Inputs>) {
    const [first, ...others] = turns as readonly [Inputs, ...Array<Inputs>]
    const own = yield* ready(program, first)
    const areAlike = Object.keys(own.reshaped).length === 0 && others.every((inputs) => own.holds(store.state, inputs))
    if (areAlike) return yield* run(own, turns)
    let report = yield* run(own, [first])
    for (const inputs of others) report = yield* run(yield* ready(program, inputs), [inputs])
    return report
  })

  const write = (entries: Engine.Arrays) =>
    held(
      Effect.sync(() => {
        for (const [entry, array] of Object.entries(entries)) store.write(entry, array)
      })
    )
  yield* write(initial)
  yield* Effect.addFinalizer(() => Effect.forEach(compiled.values(), ({ close }) => close, { discard: true }))
  // One at a time and uninterruptible: an interrupted step would leave the state half updated.
  const lock = yield* Semaphore.make(1)
  const alone = <A, E>(effect: Effect.Effect<A, E>) => Effect.uninterruptible(lock.withPermit(effect))
  return {
    advance: (program, ...turns) => alone(held(advance(program, turns.length === 0 ? [{}] : turns))),
    read: (names) =>
      alone(
        Effect.sync(() =>
          store.read(names && Object.fromEntries(names.map((entry) => [entry, store.state.get(entry)!])))
        )
      ),
    write: (entries) => alone(write(entries))
  }
})

/**
 * Writes the first run's inputs to their regions, and those of later runs to temporary regions where they differ from the run's before; returns the
 * copies with which each run begins, and what frees the temporary regions.
 */
const give = (store: Store, given: Compiled.Compiled["given"], turns: ReadonlyArray<Inputs>) => {
  const apart: Array<Region.Region> = []
  const moves = turns.map((inputs, turn) =>
    Object.entries(given).flatMap(([input, to]): ReadonlyArray<Job.Move> => {
      if (turn === 0) store.fill(to, inputs[input]!)
      if (turn === 0 || isSame(inputs[input]!, turns[turn - 1]![input]!)) return []
      const from = store.arena.array(to.shape, to.kind)
      apart.push(from)
      store.fill(from, inputs[input]!)
      return [{ from, to }]
    })
  )
  return { moves, end: Effect.sync(() => apart.forEach(store.arena.free)) }
}

const isSame = (a: NdArray.NdArray, b: NdArray.NdArray): boolean =>
  a === b || (a.data.length === b.data.length && a.data.every((value, i) => Object.is(value, b.data[i])))

const failed = (error: { readonly message: string }) =>
  new Engine.EngineFailed({
    engine: name,
    // The runtime's own message, on one line.
    reason: error.message.replaceAll(/\s*\n\s*/g, "; ").trim()
  })

/** Fails where the memory cannot hold the arrays. */
const held = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | Engine.EngineFailed> =>
  Effect.catchDefect(effect, (defect) =>
    defect instanceof Arena.ArenaFull ? Effect.fail(failed(defect)) : Effect.die(defect)
  )
