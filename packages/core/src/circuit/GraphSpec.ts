/**
 * Graphs as data: the program's primitives by name, so that checkpoints and run folders can store an imported network.
 */
import * as Program from "../program/Program.ts"
import type { GraphJson as Json } from "../schema/GraphJson.ts"
import { table } from "../tensor/primitives/Table.ts"
import { Tensor } from "../tensor/Tensor.ts"
import type { Block, Parameter } from "./Block.ts"
import * as Graph from "./Graph.ts"

/** Writes the graph of a block as JSON, without the values of its parameters. */
export const toJson = ({ graph, parameters }: Block): Json => {
  const { names, places, program } = graph!
  const number = new Map(program.nodes.map((node, i) => [node, i]))
  return {
    nodes: program.nodes.map(({ attributes, operands, primitive }) => ({
      primitive: primitive.name,
      operands: operands.map((operand) => number.get(operand)!),
      attributes: Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, finite(value)]))
    })),
    places: places.map(({ kind, name, result, role }) => ({ name, kind, role, result: number.get(result)! })),
    ...(names && { names }),
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, { fanIn, fanOut, role, shape }]) => [name, { shape, role, fanIn, fanOut }])
    )
  }
}

const finite = <A>(value: A): A | string =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value

/** Reads the block that `toJson` wrote; undefined where the JSON does not describe a valid program. */
export const fromJson = ({ names, nodes, parameters, places }: Json): Block | undefined => {
  const tensors: Array<Tensor> = []
  for (const { attributes, operands, primitive } of nodes) {
    const row = table.get(primitive)
    const given = operands.map((operand) => tensors[operand])
    if (row === undefined || given.some((operand) => operand === undefined)) return undefined
    const own = Object.entries(attributes).map(([key, value]) => [key, numeric.has(key) ? Number(value) : value])
    tensors.push(new Tensor(row, given as ReadonlyArray<Tensor>, Object.fromEntries(own)))
  }
  const inputs = tensors.filter(({ primitive }) => primitive.name === "input")
  const named = Object.fromEntries(inputs.map((tensor) => [tensor.attributes.name as string, tensor]))
  const output = tensors.at(-1)
  const found = places.map((place) => ({ ...place, result: tensors[place.result] }))
  const isWhole =
    output?.shape.length === 2 &&
    named.x?.shape.length === 2 &&
    found.every(({ result }) => result !== undefined) &&
    inputs.every(({ attributes: { name } }) => name === "x" || parameters[name as string] !== undefined)
  if (!isWhole) return undefined
  const program = Program.fromTensors(named, { output })
  return Graph.make(
    { program, places: found as ReadonlyArray<Graph.Place>, ...(names && { names }) },
    parameters as Record<string, Parameter>
  )
}

/** Attributes that are numbers, possibly infinite or NaN, which JSON holds as strings. */
const numeric = new Set(["value", "minimum", "maximum", "slope"])
