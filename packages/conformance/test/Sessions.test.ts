import { describe, expect, it } from "@effect/vitest"
import {
  Adam,
  Engine,
  Gradient,
  NdArray,
  type Optimizer,
  Program,
  ReferenceEngine,
  Rprop,
  Sgd,
  Tensor,
  TfjsEngine
} from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect, Scope } from "effect"
import { Law } from "../src/index.ts"
import * as CircuitCases from "./CircuitCases.ts"
import * as RelaxedCases from "./RelaxedCases.ts"

/** Makes one training step as a program: state × batch → state × report. */
const training = Effect.fnUntraced(function* (
  settings: CircuitCases.Settings,
  { initial, rate, update }: Optimizer.Optimizer
) {
  const { inputs, program } = CircuitCases.relaxed("step", settings)
  const { x, y, ...trained } = inputs
  const slots = Object.entries(trained).flatMap(([name, { shape }]) =>
    Object.entries(initial(shape, rate)).map(([slot, array]) => [`${slot}/${name}`, array] as const)
  )
  const state = { ...trained, ...Object.fromEntries(slots) }
  const derived = yield* Gradient.make({ of: "loss", inputs: Object.keys(trained) })(program)
  const memory = Program.inputs(Object.fromEntries(slots.map(([name, { shape }]) => [name, shape])))
  const next: Record<string, Tensor.Tensor> = {}
  for (const name of Object.keys(trained)) {
    const own = Object.keys(initial([], rate)).map((slot) => [slot, memory[`${slot}/${name}`]!] as const)
    const gradient = derived.outputs[`gradient/${name}`]!
    const { parameter, slots: kept } = update(
      program.inputs[name]!,
      gradient,
      Object.fromEntries(own),
      Tensor.constant(rate)
    )
    next[name] = parameter
    for (const [slot, value] of Object.entries(kept)) next[`${slot}/${name}`] = value
  }
  const step = Program.fromTensors({ ...program.inputs, ...memory }, { ...next, loss: program.outputs.loss! })
  return { step, state, batch: { x: x!, y: y! } }
})

const trained = (settings: CircuitCases.Settings, optimizer: Optimizer.Optimizer) =>
  Effect.gen(function* () {
    const { batch, state, step } = yield* training(settings, optimizer)
    const engine = yield* Engine.Engine
    const session = yield* engine.session(state)
    const reports = yield* Effect.forEach(Array(20), () => session.advance(step, batch))
    return { losses: reports.map(({ loss }) => loss!.data[0]!), state: yield* session.read() }
  }).pipe(Effect.scoped)

const settings = RelaxedCases.rows.find(([name]) => name.startsWith("repeat, every second"))![1]

describe("twenty training steps in a session", () => {
  for (const [name, layer] of [
    ["libtensorflow", TfjsEngine.layerNative],
    ["WebAssembly", TfjsEngine.layerWasm],
    ["onnxruntime", OnnxEngine.layer]
  ] as const) {
    it.effect.each([Sgd.make(0.05), Adam.make(0.01), Rprop.make(0.01)])(
      `on ${name} end as on the reference`,
      (optimizer) =>
        Effect.gen(function* () {
          const came = yield* trained(settings, optimizer).pipe(Effect.provide(layer))
          const expected = yield* trained(settings, optimizer).pipe(Effect.provide(ReferenceEngine.layer))
          expect(expected.losses.at(-1)).toBeLessThan(expected.losses[0]!)
          const losses = (numbers: ReadonlyArray<number>) => NdArray.make([numbers.length], numbers)
          expect(Law.broken(losses(came.losses), losses(expected.losses), [20], 1e-5)).toBeUndefined()
          expect(Object.keys(came.state)).toEqual(Object.keys(expected.state))
          for (const [entry, array] of Object.entries(expected.state)) {
            expect(Law.broken(came.state[entry], array, array.shape, 1e-4), entry).toBeUndefined()
          }
        })
    )
  }

  for (const [name, layer] of [
    ["the reference", ReferenceEngine.layer],
    ["libtensorflow", TfjsEngine.layerNative],
    ["WebAssembly", TfjsEngine.layerWasm],
    ["onnxruntime", OnnxEngine.layer]
  ] as const) {
    it.effect(`on ${name}: inputs given stand before the state's, outputs that name none are the report`, () =>
      Effect.gen(function* () {
        const program = yield* Program.make({ a: [2], b: [2] }, ({ a, b }) => ({ a: a.add(b), c: a.mul(b) }))
        const engine = yield* Engine.Engine
        const session = yield* engine.session({ a: NdArray.make([2], [1, 2]), b: NdArray.make([2], [3, 4]) })
        const numbers = (arrays: Engine.Arrays) =>
          Object.fromEntries(Object.entries(arrays).map(([key, { data }]) => [key, [...data]]))
        expect(numbers(yield* session.advance(program))).toEqual({ c: [3, 8] })
        expect(numbers(yield* session.read())).toEqual({ a: [4, 6], b: [3, 4] })
        expect(numbers(yield* session.advance(program, { b: NdArray.make([2], [10, 20]) }))).toEqual({ c: [40, 120] })
        expect(numbers(yield* session.read(["a"]))).toEqual({ a: [14, 26] })
        yield* session.write({ b: NdArray.make([2], [0, 1]) })
        expect(numbers(yield* session.advance(program))).toEqual({ c: [0, 26] })
        expect(numbers(yield* session.read())).toEqual({ a: [14, 27], b: [0, 1] })
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.effect(`on ${name}: what comes after the scope of a session or of the engine has closed is refused`, () =>
      Effect.gen(function* () {
        const program = yield* Program.make({ a: [2] }, ({ a }) => ({ a: a.add(a) }))
        const a = NdArray.make([2], [1, 2])
        const message = <A>(effect: Effect.Effect<A, Engine.EngineFailed>) =>
          Effect.map(Effect.flip(effect), (error) => error.message.replace(/^.*: /, ""))
        const refused = (what: string) =>
          `expected an open ${what}, but its scope has closed; keep the scope open while the ${what} is used`
        const all = ({ advance, read, write }: Engine.Session) => [advance(program), read(["a"]), write({ a })]
        const { engine, left, session } = yield* Effect.provide(
          Effect.gen(function* () {
            const engine = yield* Engine.Engine
            const session = yield* Effect.scoped(engine.session({ a }))
            for (const effect of all(session)) expect(yield* message(effect)).toBe(refused("session"))
            // Another session goes on meanwhile.
            const left = yield* Scope.provide(engine.session({ a }), yield* Scope.make())
            yield* left.advance(program)
            expect([...(yield* left.read(["a"])).a!.data]).toEqual([2, 4])
            return { engine, left, session }
          }),
          layer
        )
        for (const effect of [...all(session), ...all(left), engine.run(program, { a })])
          expect(yield* message(effect)).toBe(refused("engine"))
        expect(yield* message(Effect.scoped(engine.session({ a })))).toBe(refused("engine"))
      })
    )

    it.effect(`on ${name}: whole numbers and truth values are taken for real ones where a program wants these`, () =>
      Effect.gen(function* () {
        const program = yield* Program.make({ a: [2], b: [2] }, ({ a, b }) => ({ a: a.add(b).mul(0.5) }))
        const engine = yield* Engine.Engine
        const a = { shape: [2], data: Int32Array.of(1, 4) }
        const b = { shape: [2], data: Uint8Array.of(1, 0) }
        expect([...(yield* engine.run(program, { a, b })).a!.data]).toEqual([1, 2])
        const session = yield* engine.session({ a })
        yield* session.advance(program, { b })
        yield* session.advance(program, { b })
        expect([...(yield* session.read(["a"])).a!.data]).toEqual([1, 1])
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.effect(`on ${name}: what is read or was given is the caller's, and no part of the state`, () =>
      Effect.gen(function* () {
        const program = yield* Program.make({ a: [2] }, ({ a }) => ({ a: a.add(1) }))
        const engine = yield* Engine.Engine
        const given = NdArray.make([2], [1, 2])
        const session = yield* engine.session({ a: given })
        given.data[0] = 100
        const read = yield* session.read()
        read.a!.data[1] = 100
        yield* session.advance(program)
        expect([...(yield* session.read()).a!.data]).toEqual([2, 3])
        yield* session.write({ a: given })
        given.data[0] = 7
        yield* session.advance(program)
        expect([...(yield* session.read()).a!.data]).toEqual([101, 3])
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.effect(`on ${name}: arrays that do not hold as many numbers as their shape says are refused`, () =>
      Effect.gen(function* () {
        const program = yield* Program.make({ a: [2, 2] }, ({ a }) => ({ b: a.add(a) }))
        const engine = yield* Engine.Engine
        const [whole, short] = [NdArray.full([2, 2], 1), NdArray.make([2, 2], [1, 2, 3])]
        const session = yield* engine.session({ a: whole })
        const refused = [
          engine.run(program, { a: short }),
          Effect.scoped(engine.session({ a: short })),
          session.advance(program, { a: whole }, { a: short }),
          session.write({ a: short })
        ]
        for (const one of refused) {
          const { message } = yield* Effect.flip(one)
          expect(message).toMatch(/expected «a» to hold 4 numbers, as its shape \[2,2\] says, but 3 came$/)
        }
        expect([...(yield* session.advance(program)).b!.data]).toEqual([2, 2, 2, 2])
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.effect(`on ${name}: an entry that is not there is named; the sum of nothing is 0`, () =>
      Effect.gen(function* () {
        const engine = yield* Engine.Engine
        const session = yield* engine.session({ a: NdArray.full([2], 1) })
        const { message } = yield* Effect.flip(session.read(["a", "b"]))
        expect(message).toMatch(/expected an entry «b» in the session; there is none$/)
        const program = yield* Program.make({ a: ["n", 2] }, ({ a }) => ({ total: a.sum([0]) }))
        const { total } = yield* engine.run(program, { a: NdArray.full([0, 2], 1) })
        expect([...total!.data]).toEqual([0, 0])
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.effect(`on ${name}: several turns at once are as many one by one`, () =>
      Effect.gen(function* () {
        const program = yield* Program.make({ a: [3], by: [] }, ({ a, by }) => {
          const next = a.mul(by.broadcastTo([3])).add(1)
          return { a: next, total: next.total() }
        })
        const factors = [2, 2, -1, 0.5, 0.5, 3].map((by) => ({ by: NdArray.make([], [by]) }))
        const engine = yield* Engine.Engine
        const [at, one] = [
          yield* engine.session({ a: NdArray.make([3], [1, -2, 0.25]) }),
          yield* engine.session({ a: NdArray.make([3], [1, -2, 0.25]) })
        ]
        const last = yield* at.advance(program, ...factors)
        const reports = yield* Effect.forEach(factors, (factor) => one.advance(program, factor))
        expect([...last.total!.data]).toEqual([...reports.at(-1)!.total!.data])
        expect([...(yield* at.read()).a!.data]).toEqual([...(yield* one.read()).a!.data])
        // Turns that give different inputs, or of another length, are turns all the same.
        const joined = yield* Program.make({ a: ["n"], b: [3] }, ({ a, b }) => ({
          b: b.add(a.total().broadcastTo([3]))
        }))
        yield* at.write({ b: NdArray.make([3], [0, 0, 0]) })
        yield* at.advance(joined, { a: NdArray.make([2], [1, 2]) }, {}, { a: NdArray.make([4], [1, 1, 1, 1]) })
        const [a, b] = [(yield* at.read()).a!, (yield* at.read()).b!]
        const sum = [...a.data].reduce((x, y) => x + y)
        expect(b.data[0]).toBeCloseTo(3 + sum + 4, 4)
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  }
})
