/**
 * Inputs that tell a model where in a sequence a request stands, as Triton's sequence batcher fills them; here from the request's own parameters
 * `sequence_id`, `sequence_start` and `sequence_end`. Nothing is kept between requests.
 */
import { Result } from "effect"
import * as Datatype from "../Datatype.ts"
import { type InferRequest, type InferTensor, type Parameters, quote } from "../InferTensor.ts"
import type { TensorSpec } from "../ModelSignature.ts"
import { RequestInvalid } from "../RequestError.ts"
import type { ModelSettings } from "./ModelSettings.ts"

type Control = NonNullable<NonNullable<ModelSettings["sequence_batching"]>["control_input"]>[number]["control"][0]

/** Controls by the names of the inputs that they fill. */
export type Controls = ReadonlyMap<string, Control>

/** The controls in a model's settings. */
export const of = ({ sequence_batching: { control_input = [] } = {} }: ModelSettings): Controls =>
  new Map(control_input.map(({ control: [control], name }) => [name, control]))

const flags = ["INT32", "FP32", "BOOL"]
const datatypes: Readonly<Record<Control["kind"], ReadonlyArray<string>>> = {
  CONTROL_SEQUENCE_START: flags,
  CONTROL_SEQUENCE_END: flags,
  CONTROL_SEQUENCE_READY: flags,
  CONTROL_SEQUENCE_CORRID: ["UINT64", "INT64", "UINT32", "INT32", "BYTES"]
}

/** Returns why the settings do not fit these inputs, or undefined where they do; the text completes a sentence about the model. */
export const misfit = (controls: Controls, inputs: ReadonlyArray<TensorSpec>): string | undefined => {
  for (const [name, { kind }] of controls) {
    const wanted = datatypes[kind]
    const spec = inputs.find((input) => input.name === name)
    if (spec === undefined) {
      return `its settings name the control input ${quote(name)}; the model has ${inputs.map((input) => quote(input.name)).join(", ")}`
    }
    if (!wanted.includes(spec.datatype)) {
      return `its settings make a ${kind} of the input ${quote(name)}, which is ${spec.datatype}; such a one is ${wanted.join(", ")}`
    }
  }
  return undefined
}

const wrong = (parameter: string, what: string) =>
  Result.fail(new RequestInvalid({ reason: `the parameter "${parameter}" must be ${what}; correct it` }))

const flag = (control: Control, parameter: string, is: unknown): Result.Result<number, RequestInvalid> => {
  if (typeof is !== "boolean") return wrong(parameter, "true or false")
  const { bool_false_true, fp32_false_true, int32_false_true } = control
  const [no, yes] = int32_false_true ?? fp32_false_true ?? bool_false_true ?? [0, 1]
  return Result.succeed(Number(is ? yes : no))
}

/** The sequence's id; 0, or an empty text, for a request that belongs to none. */
const identity = (datatype: Datatype.Datatype, id: Parameters[string]) => {
  const { element, expects } = Datatype.row(datatype)
  const read = datatype === "BYTES" && typeof id !== "boolean" ? element(id === 0 ? "" : String(id)) : element(id)
  return read === undefined ? wrong("sequence_id", expects) : Result.succeed(read)
}

const value = (control: Control, datatype: Datatype.Datatype, parameters: Parameters) => {
  const { sequence_end: end = false, sequence_id: id = 0, sequence_start: start = false } = parameters
  switch (control.kind) {
    case "CONTROL_SEQUENCE_READY":
      return flag(control, "", true)
    case "CONTROL_SEQUENCE_START":
      return flag(control, "sequence_start", start)
    case "CONTROL_SEQUENCE_END":
      return flag(control, "sequence_end", end)
    case "CONTROL_SEQUENCE_CORRID":
      return identity(datatype, id)
  }
}

/** A control input's values for a request, the same in each of its rows. */
export const tensor = (
  spec: TensorSpec,
  control: Control,
  { inputs: [first], parameters = {} }: Pick<InferRequest, "inputs" | "parameters">
): Result.Result<InferTensor, RequestInvalid> => {
  const datatype = spec.datatype as Datatype.Datatype
  const rows = first?.shape[0] ?? 1
  // The shape of a request without elements may claim any number of rows, all of which would need memory here.
  if (first !== undefined && rows > first.data.length) {
    return Result.fail(
      new RequestInvalid({ reason: `the input ${quote(first.name)} has ${rows} rows and no elements; send some` })
    )
  }
  return Result.map(value(control, datatype, parameters), (value) => {
    const shape = spec.shape.map((size, axis) => (typeof size === "number" ? size : axis === 0 ? rows : 1))
    const data = Datatype.row(datatype).allocate(shape.reduce((product, size) => product * size, 1))
    return { name: spec.name, datatype, shape, data: data.fill(value as never) }
  })
}
