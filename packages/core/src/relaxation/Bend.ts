/**
 * How much an activation function bends its input: the share of the variance of f(o + g ξ), ξ ~ N(0, 1), that is not a linear function of ξ. A deep
 * circuit passes information on only while all its stages together bend it little.
 */
import { Effect } from "effect"
import type { Block } from "../circuit/Block.ts"
import * as ForwardWalk from "./ForwardWalk.ts"

/** Operating point of a stage: pre-activations of spread g around the offset o. */
export interface Point {
  readonly spread: number
  readonly offset: number
}

/** Share of variance that all hidden stages together may bend, to leading order: for smooth functions, and for those with a kink. */
const [smooth, kinked] = [2.5, 0.7]

/**
 * The operating point at which H stages of this function use up what they may bend together. For a smooth function, the spread g ≤ 1 follows from the
 * leading order c gᵖ of the share at small g: for tanh ⅔ g⁴, so g = (3.75/H)^¼. Where narrowing does not help because the function has a kink at 0,
 * the spread is 1 and the offset the least one that moves the kink far enough away. A block that is not elementwise, such as pooling, counts as
 * bending nothing.
 */
export const point = Effect.fn("Bend.point")(
  function* (block: Block, H: number) {
    const [narrow, wide] = [yield* share(block, 0.1, 0), yield* share(block, 0.2, 0)]
    if (wide < negligible) return straight
    if (narrow > wide / 2) return yield* kink(block, kinked / H)
    const power = Math.log2(wide / narrow)
    const found: Point = { spread: Math.min(1, 0.1 * (smooth / H / narrow) ** (1 / power)), offset: 0 }
    return found
  },
  Effect.catchTag("ShapeMismatch", () => Effect.succeed(straight))
)

const negligible = 1e-6

const straight: Point = { spread: 1, offset: 0 }

/** Finds the least offset by bisection: the share bent falls as the offset grows. */
const kink = Effect.fnUntraced(function* (block: Block, tolerated: number) {
  if ((yield* share(block, 1, 0)) <= tolerated) return straight
  let [less, more] = [6, 0]
  for (let i = 0; i < 25; i++) {
    const middle = (less + more) / 2
    if ((yield* share(block, 1, middle)) > tolerated) more = middle
    else less = middle
  }
  const found: Point = { spread: 1, offset: less }
  return found
})

const nodes = Float64Array.from({ length: 1201 }, (_, i) => (i - 600) / 100)

const share = Effect.fnUntraced(function* (block: Block, spread: number, offset: number) {
  const { data: y } = yield* ForwardWalk.apply(block, {
    shape: [nodes.length, 1],
    data: nodes.map((ξ) => offset + spread * ξ)
  })
  let [mass, mean, slope, square] = [0, 0, 0, 0]
  nodes.forEach((ξ, i) => {
    const density = Math.exp((-ξ * ξ) / 2)
    mass += density
    mean += density * y[i]!
    slope += density * y[i]! * ξ
    square += density * y[i]! * y[i]!
  })
  const variance = square / mass - (mean / mass) ** 2
  return variance <= 0 ? 0 : Math.max(0, 1 - (slope / mass) ** 2 / variance)
})
