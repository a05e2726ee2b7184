/**
 * Operators that make constants.
 */
import { filled, type Row } from "./Call.ts"
import { Refused } from "./Refused.ts"
import * as Taking from "./Taking.ts"

const constant: Row = (call) => {
  const value = call.attributes.get("value")
  if (value !== undefined) {
    const { array, kind } = call.graph.decode(value)
    return { known: array, kind }
  }
  for (const [name, kind] of [
    ["value_float", "float"],
    ["value_floats", "float"],
    ["value_int", "int"],
    ["value_ints", "int"]
  ] as const) {
    const attribute = call.attributes.get(name)
    if (attribute === undefined) continue
    const one = kind === "float" ? attribute.f : Number(attribute.i)
    const list = kind === "float" ? attribute.floats : attribute.ints.map(Number)
    const isList = name.endsWith("s")
    const data = Float64Array.from(isList ? list : [one])
    return { kind, known: { shape: isList ? [data.length] : [], data } }
  }
  throw new Refused("its value is text, sparse or missing")
}

const constantOfShape: Row = (call) => {
  const value = call.attributes.get("value")
  const { array, kind } = value === undefined ? zero : call.graph.decode(value)
  const shape = call.numbers(0).map((n) => call.dimension(n))
  const tensor = filled(array.data[0] ?? 0, shape)
  return kind === "bool" ? tensor.greater(0.5) : { tensor, kind }
}

const zero = { array: { shape: [1], data: Float64Array.of(0) }, kind: "float" } as const

const range: Row = (call) => {
  const [start, limit, step] = [call.number(0), call.number(1), call.number(2)]
  const count = Math.ceil((limit - start) / step)
  if (!(count > 0 && count <= 2 ** 16)) throw new Refused(`it counts ${count} numbers`)
  const numbers = Taking.indexes(0, count).map((i) => start + i * step)
  return { kind: call.kind(), known: { shape: [count], data: Float64Array.from(numbers) } }
}

export const rows: Readonly<Record<string, Row>> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range
}
