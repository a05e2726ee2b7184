/**
 * Program → the same program with less to do: equal parts once, neutral operations gone, dead parts never built.
 */
import type { Tensor } from "../tensor/Tensor.ts"
import type * as Program from "./Program.ts"
import * as Rewrite from "./Rewrite.ts"

/** Gives every output the same values as before. */
export const simplify = (program: Program.Program): Program.Program => {
  const numbers = new Map<Tensor, number>()
  const known = new Map<string, Tensor>()
  return Rewrite.rewrite(program, (node, operands) => {
    const built = neutral(Rewrite.rebuild(node, operands))
    const key = [
      built.primitive.name,
      ...built.operands.map((operand) => numbers.get(operand)),
      attributes(built)
    ].join()
    const twin = known.get(key)
    if (twin !== undefined) return twin
    known.set(key, built)
    if (!numbers.has(built)) numbers.set(built, numbers.size)
    return built
  })
}

// JSON writes NaN and the infinities alike, and no sign of a zero.
const attributes = (node: Tensor): string =>
  JSON.stringify(node.attributes, (_, value) =>
    typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
      ? `${Object.is(value, -0) ? "-0" : value}`
      : value
  )

/** The number that fills a tensor, if it is one constant throughout. */
export const filledWith = (node: Tensor): number | undefined => {
  if (node.primitive.name === "constant") return node.attributes.value as number
  const passes = node.primitive.name === "broadcast" || node.primitive.name === "reshape"
  return passes ? filledWith(node.operands[0]!) : undefined
}

const neutral = (node: Tensor): Tensor => {
  const [a, b] = node.operands
  switch (node.primitive.name) {
    case "mul":
      return filledWith(b!) === 1 ? a! : filledWith(a!) === 1 ? b! : node
    case "add":
      return filledWith(b!) === 0 ? a! : filledWith(a!) === 0 ? b! : node
    case "sub":
      return filledWith(b!) === 0 ? a! : node
    case "div":
      return filledWith(b!) === 1 ? a! : node
    case "neg":
      return a!.primitive.name === "neg" ? a!.operands[0]! : node
    case "reshape":
      return a!.primitive.name === "reshape" ? a!.operands[0]!.reshape(node.shape) : node
    default:
      return node
  }
}
