/**
 * Cases of ONNX's official operator tests: a model, its inputs and its expected outputs, each a protobuf message of its own.
 */
import { fromBinary } from "@bufbuild/protobuf"
import { Engine, type NdArray } from "@rai/core"
import { Effect } from "effect"
import * as Model from "../Model.ts"
import { type ModelProto, type TensorProto, TensorProtoSchema } from "../onnx_pb.ts"
import * as Network from "./Network.ts"
import * as Operators from "./Operators.ts"
import * as Tensors from "./Tensors.ts"

/** The files of a case. */
export interface OperatorCase {
  readonly name: string
  readonly model: Uint8Array
  readonly inputs: ReadonlyArray<Uint8Array>
  readonly outputs: ReadonlyArray<Uint8Array>
}

/** Outcome of a case on an engine, with the model's operators and operator set. */
export interface Outcome {
  readonly name: string
  readonly operators: ReadonlyArray<string>
  readonly opset: number
  readonly result: "passed" | "failed" | "not supported"
  readonly reason?: string
}

/** |came − expected| ≤ 10⁻⁶ + 10⁻³ |expected|: the suite's own relative tolerance, and float32's near 0. */
const tolerance = { absolute: 1e-6, relative: 1e-3 }

/** Element types that an engine computes with; the reference engine has float64 too. */
const types = (engine: string): ReadonlySet<number> => {
  const { BOOL, DOUBLE, FLOAT, INT32, INT64 } = Model.DataType
  return new Set([FLOAT, INT32, INT64, BOOL, ...(engine === "reference" ? [DOUBLE] : [])])
}

class Beyond extends Error {}

/** Runs a case on the engine provided; its inputs are supplied while the graph is read, so that those which determine shapes are known. */
export const run = Effect.fn("OperatorCase.run")(function* (
  of: OperatorCase
): Effect.fn.Return<Outcome, Model.NotAnOnnxModel, Engine.Engine> {
  const engine = yield* Engine.Engine
  const model = yield* Model.decode(of.model, of.name)
  const operators = [...new Set(model.graph!.node.map(Operators.nameOf))]
  const outcome = { name: of.name, operators, opset: Model.opsetOf(model) }
  const data = attempt(() => read(of, model, types(engine.name)))
  if (data instanceof Error) return { ...outcome, result: "not supported", reason: data.message }
  const { expected, given } = data
  const network = yield* Effect.result(
    Network.read(model, { file: of.name, inputs: {}, given, outputs: Object.keys(expected) })
  )
  if (network._tag === "Failure") {
    const { failure } = network
    const result = failure._tag === "OperatorsUnsupported" ? "not supported" : "failed"
    return { ...outcome, result, reason: failure.message }
  }
  const { arrays, program } = network.success
  const numbers = Object.fromEntries(Object.entries(arrays).map(([name, { array }]) => [name, array]))
  const answers = yield* Effect.result(engine.run(program, numbers))
  if (answers._tag === "Failure") return { ...outcome, result: "failed", reason: answers.failure.message }
  const wrong = Object.entries(expected).flatMap(([name, { array }]) => broken(name, answers.success[name], array))
  return wrong[0] === undefined ? { ...outcome, result: "passed" } : { ...outcome, result: "failed", reason: wrong[0] }
})

const read = ({ inputs, name, outputs }: OperatorCase, model: ModelProto, known: ReadonlySet<number>) => {
  const values = (files: ReadonlyArray<Uint8Array>, infos: ReadonlyArray<{ readonly name: string }>) =>
    Object.fromEntries(
      files.map((bytes, i) => {
        if (bytes.length === 0) throw new Beyond("a value that is no tensor")
        const tensor: TensorProto = fromBinary(TensorProtoSchema, bytes)
        if (!known.has(tensor.dataType)) throw new Beyond(`the type ${Tensors.nameOf(tensor.dataType)}`)
        return [infos[i]!.name, Tensors.decode(tensor, name)] as const
      })
    )
  return { given: values(inputs, model.graph!.input), expected: values(outputs, model.graph!.output) }
}

const attempt = <A>(f: () => A): A | Error => {
  try {
    return f()
  } catch (error) {
    return error as Error
  }
}

const broken = (
  name: string,
  came: NdArray.NdArray | undefined,
  { data, shape }: NdArray.NdArray
): ReadonlyArray<string> => {
  if (came?.shape.join() !== shape.join()) return [`${name}: expected [${shape}], but [${came?.shape}] came`]
  const at = came.data.findIndex((a: number, i: number) => {
    const b = data[i]!
    const isSame = Object.is(a, b) || a === b
    return !isSame && !(Number.isFinite(b) && Math.abs(a - b) <= tolerance.absolute + tolerance.relative * Math.abs(b))
  })
  return at < 0 ? [] : [`${name}: expected ${data[at]} at ${at} of [${shape}], but ${came.data[at]} came`]
}
