/**
 * Programs on the tensors of TensorFlow.js, each freed at its last use.
 */
import type * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import type { Program } from "../../program/Program.ts"
import { copy, type NdArray } from "../../tensor/NdArray.ts"
import * as Binding from "../Binding.ts"
import { type Arrays, EngineFailed, inTurn, type Session } from "../Engine.ts"
import type { Backend } from "./Backend.ts"
import { type Compiled, compile } from "./Compiled.ts"
import type { Call } from "./Kernels.ts"

type Tensors = Readonly<Record<string, tf.Tensor>>

const types = { float: "float32", int: "int32", bool: "bool" } as const

/** Converts an array to a tensor, which the caller must dispose. */
export const fromArray = (core: typeof tf, { data, shape }: NdArray): tf.Tensor =>
  core.tensor(
    // TensorFlow.js keeps the memory that it is given, which is the caller's to change.
    data instanceof Float64Array ? Float32Array.from(data) : data.slice(),
    [...shape],
    data instanceof Uint8Array ? "bool" : undefined
  )

/** Converts a tensor to an array; the caller keeps the tensor. */
export const toArray = (tensor: tf.Tensor): NdArray => ({ shape: tensor.shape, data: tensor.dataSync() })

/** Makes an engine on a loaded backend. */
export const make = (backend: Backend) => {
  const core = backend.tf
  const call: Call = (kernel, inputs, attributes = {}) =>
    core.engine().runKernel(kernel, inputs as unknown as tf.NamedTensorMap, attributes as never) as tf.Tensor
  const ready = new WeakMap<Program, Map<string, Compiled>>()

  const compiled = (program: Program, lengths: ReadonlyMap<string, number>): Compiled => {
    const forProgram = ready.get(program) ?? new Map<string, Compiled>()
    ready.set(program, forProgram)
    const key = [...lengths].join(";")
    const known = forProgram.get(key) ?? compile(program, lengths, backend, call, (value) => core.scalar(value))
    forProgram.set(key, known)
    return known
  }

  /** Those of the tensors that a program takes as another type, in it: data may be whole numbers where it computes with real ones. */
  const cast = (program: Program, tensors: Tensors): Tensors =>
    Object.fromEntries(
      Object.entries(program.inputs).flatMap(([name, { dtype }]) => {
        const tensor = tensors[name]
        return tensor === undefined || tensor.dtype === types[dtype] ? [] : [[name, core.cast(tensor, types[dtype])]]
      })
    )

  /** Runs on tensors and returns tensors, within a tidy so that a failing kernel leaks nothing. */
  const execute = Effect.fnUntraced(function* (program: Program, inputs: Tensors) {
    const lengths = yield* Binding.lengths(backend.name, program, (name) => inputs[name]?.shape)
    return yield* Effect.try({
      try: (): Tensors => {
        backend.activate()
        return core.tidy(() => compiled(program, lengths)({ ...inputs, ...cast(program, inputs) }))
      },
      catch: (error) => new EngineFailed({ engine: backend.name, reason: advised(onOneLine(error)) })
    })
  })

  // A step is uninterruptible: interrupted halfway, it would leave tensors that nobody owns.
  const withTensors = <A, E>(arrays: Arrays, use: (tensors: Tensors) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        backend.activate()
        return mapValues(arrays, (array) => fromArray(core, array))
      }),
      (tensors) => Effect.uninterruptible(use(tensors)),
      dispose
    )

  const run = (program: Program, inputs: Arrays): Effect.Effect<Arrays, EngineFailed> =>
    withTensors(inputs, (tensors) => Effect.flatMap(execute(program, tensors), read))

  const session = (initial: Arrays) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => {
          backend.activate()
          return { tensors: mapValues(initial, (array) => fromArray(core, array)) as Record<string, tf.Tensor> }
        }),
        (state) => dispose(state.tensors)
      ),
      (state): Session => ({
        advance: inTurn((program, inputs) =>
          withTensors(inputs, (given) => {
            // Once, so that data of whole numbers are not converted in every step.
            replace(state.tensors, cast(program, state.tensors))
            return Effect.flatMap(execute(program, { ...state.tensors, ...given }), (outputs) => {
              const divided = Binding.divide(outputs, (name) => name in state.tensors)
              replace(state.tensors, divided.state)
              return read(divided.report)
            })
          })
        ),
        read: (names = Object.keys(state.tensors)) =>
          Effect.sync(() => Object.fromEntries(names.map((name) => [name, copy(toArray(state.tensors[name]!))]))),
        write: (entries) =>
          Effect.sync(() => {
            backend.activate()
            replace(
              state.tensors,
              mapValues(entries, (array) => fromArray(core, array))
            )
          })
      })
    )

  return Binding.guarded({ name: backend.name, run, session })
}

const onOneLine = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).replaceAll(/\s*\n\s*/g, "; ")

/** Adds advice to an out-of-memory message: TensorFlow only says what was too large. */
const advised = (reason: string): string =>
  /\bOOM\b/.test(reason) ? `${reason}; use batches, fewer cuts or a smaller circuit` : reason

const mapValues = <A, B>(record: Readonly<Record<string, A>>, f: (value: A) => B): Readonly<Record<string, B>> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]))

const dispose = (tensors: Tensors) =>
  Effect.sync(() => {
    for (const tensor of Object.values(tensors)) tensor.dispose()
  })

const replace = (state: Record<string, tf.Tensor>, entries: Tensors): void => {
  for (const [name, tensor] of Object.entries(entries)) {
    state[name]?.dispose()
    state[name] = tensor
  }
}

/** Reads the numbers of the tensors and disposes of them. */
const read = (tensors: Tensors): Effect.Effect<Arrays> =>
  Effect.sync(() => {
    const arrays = mapValues(tensors, toArray)
    for (const tensor of Object.values(tensors)) tensor.dispose()
    return arrays
  })
