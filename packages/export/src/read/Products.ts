/**
 * Operators that are products of matrices.
 */
import type { Tensor } from "@rai/core"
import { product, type Row } from "./Call.ts"
import { Refused } from "./Refused.ts"

type T = Tensor.Tensor

/** Matrix product as NumPy defines it: a vector is a row on the left, a column on the right. */
const matMul = (a: T, b: T): T => {
  const left = a.shape.length === 1 ? a.reshape([1, ...a.shape]) : a
  const right = b.shape.length === 1 ? b.reshape([...b.shape, 1]) : b
  const y = left.matMul(right)
  const rows = a.shape.length === 1 ? [] : [y.shape.at(-2)!]
  const columns = b.shape.length === 1 ? [] : [y.shape.at(-1)!]
  return y.reshape([...y.shape.slice(0, -2), ...rows, ...columns])
}

const gemm: Row = (call) => {
  const [a, b] = [call.float(0), call.float(1)]
  const transposes = { transposeA: call.int("transA", 0) !== 0, transposeB: call.int("transB", 0) !== 0 }
  const [α, β] = [call.real("alpha", 1), call.real("beta", 1)]
  const y = times(a.matMul(b, transposes), α)
  return call.has(2) && β !== 0 ? y.add(times(call.float(2), β)) : y
}

const times = (x: T, factor: number): T => (factor === 1 ? x : x.mul(factor))

/** Einsum of one or two operands, no axis twice in either: sums, transpositions and matrix products. */
const einsum: Row = (call) => {
  const [left = "", right = ""] = call.text("equation", "").replaceAll(" ", "").split("->")
  const terms = left.split(",").map((term) => [...term])
  const result = [...right]
  const plain = [...terms, result].every((term) => new Set(term).size === term.length && !term.includes("."))
  if (!plain || !call.text("equation", "").includes("->") || terms.length > 2 || terms.length !== call.inputs.length) {
    throw new Refused("its equation is more than a product of two operands with each axis once")
  }
  const lengths = new Map(terms.flatMap((term, i) => term.map((name, axis) => [name, call.shape(i)[axis]!] as const)))
  /** The operands, summed over the axes that neither the other operand nor the result names. */
  const [a, b] = terms.map((term, i) => {
    const other = terms[1 - i] ?? []
    const gone = term.flatMap((name, axis) => (result.includes(name) || other.includes(name) ? [] : [axis]))
    const kept = term.filter((_, axis) => !gone.includes(axis))
    return {
      names: kept,
      x: call
        .float(i)
        .sum(gone)
        .reshape(kept.map((name) => lengths.get(name)!))
    }
  })
  const ordered = ({ names, x }: { names: ReadonlyArray<string>; x: T }, to: ReadonlyArray<string>) =>
    names.join() === to.join() ? x : x.transpose(to.map((name) => names.indexOf(name)))
  if (b === undefined) return ordered(a!, result)
  const both = a!.names.filter((name) => b.names.includes(name))
  const shared = both.filter((name) => result.includes(name))
  const summed = both.filter((name) => !result.includes(name))
  const [rows, columns] = [a!, b].map(({ names }) => names.filter((name) => !both.includes(name)))
  const shapeOf = (names: ReadonlyArray<string>) => names.map((name) => lengths.get(name)!)
  const size = (names: ReadonlyArray<string>) => product(shapeOf(names))
  const A = ordered(a!, [...shared, ...rows!, ...summed]).reshape([...shapeOf(shared), size(rows!), size(summed)])
  const B = ordered(b, [...shared, ...summed, ...columns!]).reshape([...shapeOf(shared), size(summed), size(columns!)])
  const names = [...shared, ...rows!, ...columns!]
  return ordered({ names, x: A.matMul(B).reshape(shapeOf(names)) }, result)
}

export const rows: Readonly<Record<string, Row>> = {
  MatMul: (call) => matMul(call.float(0), call.float(1)),
  Gemm: gemm,
  Einsum: einsum
}
