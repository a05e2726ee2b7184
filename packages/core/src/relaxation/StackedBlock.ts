/**
 * One block for all segments at once: z: [segments, batch, …], each parameter with the segments in front.
 */
import type { Block, Theta } from "../circuit/Block.ts"
import { order } from "../program/Program.ts"
import * as Movement from "../tensor/primitives/Movement.ts"
import * as Reduction from "../tensor/primitives/Reduction.ts"
import type { Shape } from "../tensor/Shape.ts"
import { input, stack, type Tensor } from "../tensor/Tensor.ts"

/** What names axes or whole shapes, and so would mean others behind a leading axis; a broadcast aligns at the last one. */
const naming = new Set([...Object.values(Reduction), ...Object.values(Movement)])
naming.delete(Movement.broadcast)

/**
 * ẑ of every segment by the block's formula `f`, its own or that of a step of training: one call where the formula lets a leading axis pass,
 * else one call a segment.
 */
export const apply = (block: Block, f: Block["apply"], z: Tensor, θ: Theta): Tensor => {
  if (passesLeadingAxes(block, f, z.shape.slice(1), θ)) return f(z, θ)
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

const passesLeadingAxes = (block: Block, f: Block["apply"], shape: Shape, θ: Theta): boolean => {
  const parameters = Object.entries(block.parameters)
  const own = Object.keys(θ).map((name) => [name, input(name, block.parameters[name]?.shape ?? shape)] as const)
  const formula = order([f(input("z", shape), Object.fromEntries(own))])
  return (
    parameters.every(([, { shape }]) => shape.length === 1 || shape.length === 2) &&
    formula.every(({ primitive }) => !naming.has(primitive))
  )
}
