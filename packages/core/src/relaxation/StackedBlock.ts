/**
 * One block evaluated for all segments at once: z: [segments, batch, …], each parameter with a leading axis for the segments.
 */
import { Record } from "effect"
import type { Block, Theta } from "../circuit/Block.ts"
import * as AnyShape from "../program/AnyShape.ts"
import { equals } from "../tensor/Shape.ts"
import { input, stack, type Tensor } from "../tensor/Tensor.ts"

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
  if (AnyShape.namesAxes(one)) return false
  try {
    const all = f(
      input("z", z.shape),
      Record.map(θ, ({ shape }, name) => input(name, shape))
    )
    return equals(all.shape, [segments!, ...one.shape]) && AnyShape.isSame(one, all)
  } catch {
    // The formula has just worked on one segment, so it is the leading axis that it does not accept.
    return false
  }
}
