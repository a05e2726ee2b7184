/**
 * One block evaluated for all segments at once: z: [segments, batch, …], each parameter with a leading axis for the segments.
 */
import { Record } from "effect"
import type { Block, Theta } from "../circuit/Block.ts"
import { order } from "../program/Program.ts"
import { written } from "../program/Simplify.ts"
import * as Movement from "../tensor/primitives/Movement.ts"
import * as Reduction from "../tensor/primitives/Reduction.ts"
import { equals } from "../tensor/Shape.ts"
import { input, stack, type Tensor } from "../tensor/Tensor.ts"

/** Primitives that name axes or whole shapes, and so would mean different ones under a leading axis; a broadcast aligns at the last axis. */
const naming = new Set([...Object.values(Reduction), ...Object.values(Movement)])
naming.delete(Movement.broadcast)

/**
 * ẑ of every segment by the formula `f` of the block, ordinary or training-time: in one call where the formula works under a leading axis, else one
 * call per segment.
 */
export const apply = (block: Block, f: Block["apply"], z: Tensor, θ: Theta): Tensor => {
  if (passesLeadingAxes(block, f, z, θ)) return f(z, θ)
  const ofSegment = (segment: number): Theta =>
    Object.fromEntries(
      Object.entries(θ).map(([name, all]) => {
        const own = all.at(0, segment)
        return [name, own.reshape(block.parameters[name]?.shape ?? own.shape)]
      })
    )
  return each(z, (own, segment) => f(own, ofSegment(segment)))
}

/** Applies a formula to each segment and stacks the results. */
export const each = (z: Tensor, f: (z: Tensor, segment: number) => Tensor): Tensor =>
  stack(Array.from({ length: z.shape[0] as number }, (_, segment) => f(z.at(0, segment), segment)))

/** Whether the formula is the same for one segment as for all of them stacked: it may look at a shape and compute something else. */
const passesLeadingAxes = (block: Block, f: Block["apply"], z: Tensor, θ: Theta): boolean => {
  const parameters = Object.values(block.parameters)
  if (!parameters.every(({ shape }) => shape.length === 1 || shape.length === 2)) return false
  const [segments, ...shape] = z.shape
  const own = Record.map(θ, (_, name) => input(name, block.parameters[name]?.shape ?? shape))
  const one = f(input("z", shape), own)
  if (order([one]).some(({ primitive }) => naming.has(primitive))) return false
  try {
    const all = f(
      input("z", z.shape),
      Record.map(θ, ({ shape }, name) => input(name, shape))
    )
    return equals(all.shape, [segments!, ...one.shape]) && isSame(unbroadcast(one), unbroadcast(all))
  } catch {
    // The formula has just worked on one segment, so it is the leading axis that it does not accept.
    return false
  }
}

/** A formula without its broadcasts, which depend on shapes: for each node its operation and the positions of its operands. */
const unbroadcast = (root: Tensor): ReadonlyArray<string> => {
  const of = (node: Tensor): Tensor => (node.primitive === Movement.broadcast ? of(node.operands[0]!) : node)
  const nodes = order([root]).filter((node) => of(node) === node)
  const places = new Map(nodes.map((node, i) => [node, i]))
  return nodes.map((node) => {
    const { attributes, operands, primitive } = node
    const said = primitive.name === "input" ? attributes.name : written(node)
    return [primitive.name, ...operands.map((operand) => places.get(of(operand))), said].join()
  })
}

const isSame = (one: ReadonlyArray<string>, all: ReadonlyArray<string>): boolean =>
  one.length === all.length && one.every((node, i) => node === all[i])
