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

/** ẑ of every segment: one call of the block where its formula lets a leading axis pass, else one call a segment. */
export const apply = (block: Block, z: Tensor, θ: Theta): Tensor => {
  if (passesLeadingAxes(block, z.shape.slice(1))) return block.apply(z, θ)
  const ofSegment = (segment: number): Theta =>
    Object.fromEntries(
      Object.entries(block.parameters).map(([name, { shape }]) => [name, θ[name]!.at(0, segment).reshape(shape)])
    )
  const segments = Array.from({ length: z.shape[0] as number }, (_, segment) => segment)
  return stack(segments.map((segment) => block.apply(z.at(0, segment), ofSegment(segment))))
}

const passesLeadingAxes = (block: Block, shape: Shape): boolean => {
  const parameters = Object.entries(block.parameters)
  const θ = Object.fromEntries(parameters.map(([name, { shape }]) => [name, input(name, shape)]))
  const formula = order([block.apply(input("z", shape), θ)])
  return (
    parameters.every(([, { shape }]) => shape.length === 1 || shape.length === 2) &&
    formula.every(({ primitive }) => !naming.has(primitive))
  )
}
