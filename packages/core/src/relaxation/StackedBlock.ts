/**
 * One block for all segments at once: z: [segments, batch, …], each parameter with the segments in front.
 */
import { Record } from "effect"
import type { Block, Theta } from "../circuit/Block.ts"
import { order } from "../program/Program.ts"
import { written } from "../program/Simplify.ts"
import * as Movement from "../tensor/primitives/Movement.ts"
import * as Reduction from "../tensor/primitives/Reduction.ts"
import { equals } from "../tensor/Shape.ts"
import { input, stack, type Tensor } from "../tensor/Tensor.ts"

/** What names axes or whole shapes, and so would mean others behind a leading axis; a broadcast aligns at the last one. */
const naming = new Set([...Object.values(Reduction), ...Object.values(Movement)])
naming.delete(Movement.broadcast)

/**
 * ẑ of every segment by the block's formula `f`, its own or that of a step of training: one call where the formula lets a leading axis pass,
 * else one call a segment.
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

/** What a formula gives for each segment, stacked. */
export const each = (z: Tensor, f: (z: Tensor, segment: number) => Tensor): Tensor =>
  stack(Array.from({ length: z.shape[0] as number }, (_, segment) => f(z.at(0, segment), segment)))

/** Whether the formula says the same of one segment as of all of them stacked: it may ask for a shape, and then compute something else. */
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
    // Of one segment it has just been written.
    return false
  }
}

/** A formula without its broadcasts, which are where shapes ask for them: of each node what it does, and the places of its operands. */
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
