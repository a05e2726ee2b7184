/**
 * Reverse mode: program → program, in the same primitives. No path leads on past a cut, so gradients there are local with nothing further to do.
 */
import type { Effect } from "effect"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import { concat, constant, type Tensor } from "../tensor/Tensor.ts"
import * as Program from "./Program.ts"

/**
 * ∂y/∂x for each x of `of`, for a scalar y or with the gradient `seed` of y; zeros where y does not depend on x. At each tensor in `passing`, the
 * gradient goes through the function given there before it is propagated.
 */
export const gradients = (
  y: Tensor,
  of: ReadonlyArray<Tensor>,
  seed?: Tensor,
  passing: ReadonlyMap<Tensor, (gradient: Tensor) => Tensor> = new Map()
): ReadonlyArray<Tensor> => {
  const wanted = new Set(of)
  const nodes = Program.order([y])
  // Only nodes on a path from a wanted tensor to y take part.
  const takesPart = new Set<Tensor>()
  for (const node of nodes) {
    if (wanted.has(node) || node.operands.some((operand) => takesPart.has(operand))) takesPart.add(node)
  }
  const contributions = new Map<Tensor, Array<Tensor>>([[y, [seed ?? constant(1).broadcastTo(y.shape)]]])
  const gradient = new Map<Tensor, Tensor>()
  for (const node of nodes.toReversed()) {
    const parts = takesPart.has(node) ? contributions.get(node) : undefined
    if (parts === undefined) continue
    contributions.delete(node)
    const whole = sum(parts)
    const g = passing.get(node)?.(whole) ?? whole
    gradient.set(node, g)
    if (wanted.has(node)) continue
    derivative(node, g).forEach((part, i) => {
      const operand = node.operands[i]!
      if (part === undefined || !takesPart.has(operand)) return
      const known = contributions.get(operand)
      if (known === undefined) contributions.set(operand, [part])
      else known.push(part)
    })
  }
  return of.map((x) => gradient.get(x) ?? x.zerosLike())
}

// A composite is differentiated through its definition, a primitive by its own row.
const derivative = (node: Tensor, g: Tensor): ReadonlyArray<Tensor | undefined> => {
  const { definition, derivative: row } = node.primitive
  if (definition === undefined) return row(g, node)
  // An operand that occurs twice gets its whole gradient at its first position.
  const whole = gradients(definition(node.operands, node.attributes), node.operands, g)
  return whole.map((part, i) => (node.operands.indexOf(node.operands[i]!) === i ? part : undefined))
}

/** Sums the contributions; slices padded back without overlap become one concatenation instead. */
const sum = (parts: ReadonlyArray<Tensor>): Tensor => {
  const others = parts.filter((part) => part.primitive.name !== "pad")
  const padded = parts.filter((part) => part.primitive.name === "pad")
  const joined = join(padded)
  return [...others, ...(joined === undefined ? padded : [joined])].reduce((a, b) => a.add(b))
}

const join = (padded: ReadonlyArray<Tensor>): Tensor | undefined => {
  const [first, ...rest] = padded
  if (first === undefined || rest.length === 0) return undefined
  const axis = first.attributes.axis as number
  if (rest.some((part) => part.attributes.axis !== axis)) return undefined
  const start = (part: Tensor) => part.attributes.before as number
  const total = first.shape[axis] as number
  const pieces: Array<Tensor> = []
  let end = 0
  for (const part of padded.toSorted((a, b) => start(a) - start(b))) {
    const gap = start(part) - end
    if (gap < 0) return undefined
    const piece = part.operands[0]!
    if (gap > 0) pieces.push(constant(0).broadcastTo(piece.shape.with(axis, gap)))
    pieces.push(piece)
    end = start(part) + (piece.shape[axis] as number)
  }
  if (end < total) pieces.push(constant(0).broadcastTo(first.shape.with(axis, total - end)))
  return concat(pieces, axis)
}

/**
 * Adds the gradients of the scalar output `of` to the program's outputs: `gradient/x` has the shape of the input `x`.
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Gradient, Program } from "@rai/core"
 *
 * const square = Program.make({ x: [3] }, ({ x }) => ({ loss: x.square().mean() }))
 * const derived = Effect.runSync(Effect.flatMap(square, Gradient.make({ of: "loss", inputs: ["x"] })))
 * Object.keys(derived.outputs) // => ["loss", "gradient/x"]
 * ```
 */
export const make =
  (options: { readonly of: string; readonly inputs: ReadonlyArray<string> }) =>
  (program: Program.Program): Effect.Effect<Program.Program, ShapeMismatch> =>
    Program.check(() => {
      const of = options.inputs.map((name) => program.inputs[name]!)
      const found = gradients(program.outputs[options.of]!, of)
      const named = options.inputs.map((name, i) => [`gradient/${name}`, found[i]!] as const)
      return Program.fromTensors(program.inputs, { ...program.outputs, ...Object.fromEntries(named) })
    })
