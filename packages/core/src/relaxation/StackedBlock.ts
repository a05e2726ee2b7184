/**
 * One block for all segments at once: z: [segments, batch, …], each parameter with the segments in front.
 */
import { Record } from "effect"
import type { Block, Theta } from "../circuit/Block.ts"
import { order } from "../program/Program.ts"
import * as Movement from "../tensor/primitives/Movement.ts"
import * as Reduction from "../tensor/primitives/Reduction.ts"
import { type Dimension, equals, type Shape } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
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
  const of = (shape: Shape, own: (name: string, all: Tensor) => Shape) =>
    order([
      f(
        input("z", shape),
        Record.map(θ, (all, name) => input(name, own(name, all)))
      )
    ])
  const one = of(shape, (name) => block.parameters[name]?.shape ?? shape)
  if (one.some(({ primitive }) => naming.has(primitive))) return false
  try {
    return isSame(
      one,
      of(z.shape, (_, { shape }) => shape),
      segments!
    )
  } catch (error) {
    if (error instanceof ShapeMismatch) return false
    throw error
  }
}

/** Whether the formulas differ in nothing but the leading axis of what is given and of what is broadcast. */
const isSame = (one: ReadonlyArray<Tensor>, all: ReadonlyArray<Tensor>, segments: Dimension): boolean => {
  const [numbersOfOne, numbersOfAll] = [one, all].map((nodes) => new Map(nodes.map((node, i) => [node, i])))
  return (
    one.length === all.length &&
    one.every(({ attributes, operands, primitive, shape }, i) => {
      const other = all[i]!
      const isAlike =
        primitive.name === "input"
          ? attributes.name === other.attributes.name
          : primitive === Movement.broadcast
            ? equals([segments, ...shape], other.shape) || equals(shape, other.shape)
            : JSON.stringify(attributes) === JSON.stringify(other.attributes)
      return (
        isAlike &&
        primitive === other.primitive &&
        operands.every((operand, k) => numbersOfOne!.get(operand) === numbersOfAll!.get(other.operands[k]!))
      )
    })
  )
}
