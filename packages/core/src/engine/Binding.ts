/**
 * Lengths of named dimensions, found by matching the given arrays against a program's inputs.
 */
import { Effect, type Scope } from "effect"
import type { Program } from "../program/Program.ts"
import { size } from "../tensor/NdArray.ts"
import { show } from "../tensor/Shape.ts"
import { type Arrays, type Engine, EngineFailed, type Session } from "./Engine.ts"

/** The length of each named dimension; fails with `EngineFailed` where the arrays do not match the program's inputs. */
export const lengths = (
  engine: string,
  program: Program,
  shapeOf: (name: string) => ReadonlyArray<number> | undefined
): Effect.Effect<ReadonlyMap<string, number>, EngineFailed> => {
  const found = new Map<string, number>()
  for (const [name, { shape }] of Object.entries(program.inputs)) {
    const came = shapeOf(name)
    if (came === undefined) {
      return Effect.fail(new EngineFailed({ engine, reason: `expected an input «${name}» ${show(shape)}; none came` }))
    }
    const fits =
      came.length === shape.length &&
      shape.every((n, i) => {
        if (typeof n === "number") return n === came[i]
        if (!found.has(n)) found.set(n, came[i]!)
        return found.get(n) === came[i]
      })
    if (!fits) {
      const reason = `expected the input «${name}» to be ${show(shape)}, but ${show(came)} came`
      return Effect.fail(new EngineFailed({ engine, reason }))
    }
  }
  return Effect.succeed(found)
}

/**
 * The engine with checks in front: it refuses arrays that hold more or fewer numbers than their shape says, which would reach into other memory,
 * reads of entries that a session does not have, and whatever comes after the scope of the engine or of the session has closed.
 */
export const guarded = Effect.fnUntraced(function* (
  engine: Engine["Service"]
): Effect.fn.Return<Engine["Service"], never, Scope.Scope> {
  const refused = (reason: string) => Effect.fail(new EngineFailed({ engine: engine.name, reason }))
  const check = (...all: ReadonlyArray<Arrays>): Effect.Effect<void, EngineFailed> => {
    for (const arrays of all) {
      for (const [name, { data, shape }] of Object.entries(arrays)) {
        if (data.length === size(shape)) continue
        return refused(
          `expected «${name}» to hold ${size(shape)} numbers, as its shape ${show(shape)} says, but ${data.length} came`
        )
      }
    }
    return Effect.void
  }
  /** Runs effects until the current scope closes, and refuses them from then on. */
  const whileOpen = Effect.fnUntraced(function* (what: string) {
    let isOpen = true
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        isOpen = false
      })
    )
    return <A, R>(effect: Effect.Effect<A, EngineFailed, R>) =>
      Effect.suspend(() =>
        isOpen
          ? effect
          : refused(`expected an open ${what}, but its scope has closed; keep the scope open while the ${what} is used`)
      )
  })
  const onEngine = yield* whileOpen("engine")
  const session: Engine["Service"]["session"] = Effect.fnUntraced(function* (state) {
    yield* check(state)
    const { advance, read, write } = yield* onEngine(engine.session(state))
    const onSession = yield* whileOpen("session")
    const open = <A>(effect: Effect.Effect<A, EngineFailed>) => onEngine(onSession(effect))
    const entries = new Set(Object.keys(state))
    const guard: Session = {
      advance: (program, ...turns) => open(Effect.andThen(check(...turns), advance(program, ...turns))),
      read: (names) =>
        open(
          Effect.suspend(() => {
            const missing = names?.find((name) => !entries.has(name))
            return missing === undefined
              ? read(names)
              : refused(`expected an entry «${missing}» in the session; there is none`)
          })
        ),
      write: (written) =>
        open(
          Effect.gen(function* () {
            yield* check(written)
            yield* write(written)
            for (const name of Object.keys(written)) entries.add(name)
          })
        )
    }
    return guard
  })
  return {
    name: engine.name,
    run: (program, inputs) => onEngine(Effect.andThen(check(inputs), engine.run(program, inputs))),
    session
  }
})

/** Divides the outputs of a program in a session: those named like an entry replace it, the others are the report. */
export const divide = <A>(
  outputs: Readonly<Record<string, A>>,
  isState: (name: string) => boolean
): { readonly state: Record<string, A>; readonly report: Record<string, A> } => {
  const state: Record<string, A> = {}
  const report: Record<string, A> = {}
  for (const [name, value] of Object.entries(outputs)) (isState(name) ? state : report)[name] = value
  return { state, report }
}
