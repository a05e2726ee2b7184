/**
 * Programs on onnxruntime: each is written as one ONNX graph, and run by the runtime that serves exported models. It needs no native set-up,
 * so it is there where TensorFlow's library is not.
 */
import { Binding, Engine, type NdArray, Program, type Tensor, version } from "@rai/core"
import { Graph, Model, Onnxruntime } from "@rai/export"
import { Effect, Layer, Record, Scope, Struct } from "effect"

const name = "onnx"

const failed = (error: { readonly message: string; readonly cause?: unknown }) =>
  new Engine.EngineFailed({
    engine: name,
    // The runtime's own words, on one line.
    reason: `${error.message} ${error.cause ?? ""}`.replaceAll(/\s*\n\s*/g, "; ").trim()
  })

/** A copy in the precision that the runtime computes in. */
const owned = ({ data, shape }: NdArray.NdArray): NdArray.NdArray => ({
  shape,
  data: data instanceof Float64Array ? Float32Array.from(data) : data.slice()
})

/** A graph's results have names of their own, where a program's outputs may be named as its inputs are. */
const result = (output: string): string => `→ ${output}`

const isFloat = ({ data }: NdArray.NdArray): boolean => data instanceof Float32Array

const fits = ({ shape }: NdArray.NdArray, output: Tensor.Tensor): boolean =>
  output.dtype === "float" && shape.length === output.shape.length && shape.every((n, i) => n === output.shape[i])

const make = Effect.gen(function* () {
  const runtime = yield* Onnxruntime.Onnxruntime

  const open = (program: Program.Program) =>
    Graph.fromProgram(Program.fromTensors(program.inputs, Record.mapKeys(program.outputs, result))).pipe(
      Effect.flatMap((graph) => runtime.open(Model.encode(graph, { version, metadata: {} }), "the program")),
      Effect.mapError(failed)
    )

  /** `into` has arrays of the outputs' shapes that are written to, by name. */
  const execute = Effect.fnUntraced(function* (
    opened: Onnxruntime.Session,
    program: Program.Program,
    given: Engine.Arrays,
    into: Engine.Arrays = {}
  ) {
    yield* Binding.lengths(name, program, (input) => given[input]?.shape)
    const inputs = Struct.pick(given, Object.keys(program.inputs))
    const results = yield* Effect.mapError(opened.run(inputs, Record.mapKeys(into, result)), failed)
    return Record.map(program.outputs, (_, output) => results[result(output)]!)
  })

  const run = (program: Program.Program, inputs: Engine.Arrays) =>
    Effect.scoped(Effect.flatMap(open(program), (opened) => execute(opened, program, inputs)))

  const session = Effect.fnUntraced(function* (initial: Engine.Arrays) {
    const scope = yield* Effect.scope
    const ready = new Map<Program.Program, Onnxruntime.Session>()
    const state: Record<string, NdArray.NdArray> = Record.map(initial, owned)
    /** For each entry an array of its size that the next step writes to while it reads the entry itself. */
    const spare: Record<string, NdArray.NdArray> = {}

    const prepared = Effect.fnUntraced(function* (program: Program.Program) {
      const opened = ready.get(program) ?? (yield* Scope.provide(open(program), scope))
      ready.set(program, opened)
      return opened
    })
    const advance = Effect.fnUntraced(function* (program: Program.Program, inputs: Engine.Arrays = {}) {
      const opened = yield* prepared(program)
      const into: Record<string, NdArray.NdArray> = {}
      for (const [entry, output] of Object.entries(program.outputs)) {
        const before = state[entry]
        if (before === undefined || !isFloat(before) || !fits(before, output)) continue
        into[entry] = spare[entry] ?? { shape: before.shape, data: new Float32Array(before.data.length) }
      }
      const outputs = yield* execute(opened, program, { ...state, ...inputs }, into)
      const divided = Binding.divide(outputs, (output) => output in state)
      for (const [entry, array] of Object.entries(divided.state)) {
        if (entry in into) spare[entry] = state[entry]!
        else delete spare[entry]
        state[entry] = array
      }
      return divided.report
    })
    const made: Engine.Session = {
      // Interrupted within, a step would go on writing to arrays that the next one reads.
      advance: (program, inputs) => Effect.uninterruptible(advance(program, inputs)),
      read: (names = Object.keys(state)) =>
        Effect.sync(() => Object.fromEntries(names.map((entry) => [entry, owned(state[entry]!)]))),
      write: (entries) =>
        Effect.sync(() => {
          for (const [entry, array] of Object.entries(entries)) {
            state[entry] = owned(array)
            delete spare[entry]
          }
        })
    }
    return made
  })

  return Engine.Engine.of({ name, run, session })
})

/** The engine. A session keeps the graphs of the programs that advance it; `run` makes its program ready each time. */
export const layer: Layer.Layer<Engine.Engine> = Layer.effect(Engine.Engine, make)
