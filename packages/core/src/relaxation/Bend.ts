/**
 * How much an activation function bends what passes: the share of f(o + g ξ)'s variance, ξ ~ N(0, 1), that is no linear function of ξ.
 * Deep circuits keep what they are told only while all their stages together bend it a little.
 */
import { Effect } from "effect"
import type { Block } from "../circuit/Block.ts"
import * as ForwardWalk from "./ForwardWalk.ts"

/** Where a stage works: pre-activations of spread g around o. */
export interface Point {
  readonly spread: number
  readonly offset: number
}

/** The share of variance that all hidden stages together may bend: of smooth functions, and of those with a kink. */
const [smooth, kinked] = [2.5, 0.7]

/**
 * The widest spread at which H stages of this function bend no more than they may together; where narrowing does not help, because the
 * function has a kink at 0, spread 1 and the least offset that moves the kink far enough away.
 */
export const point = Effect.fn("Bend.point")(function* (block: Block, H: number) {
  const at = (spread: number, offset: number) => share(block, spread, offset)
  const [narrow, wide] = [yield* at(1e-2, 0), yield* at(1, 0)]
  const [spread, offset] = narrow < wide / 10 ? [undefined, 0] : [1, undefined]
  const most = (spread === undefined ? smooth : kinked) / H
  // Bending falls with a narrower spread, and with a larger offset.
  let [less, more] = spread === undefined ? [1e-3, 1] : [6, 0]
  for (let i = 0; i < 25; i++) {
    const middle = (less + more) / 2
    const bent = yield* at(spread ?? middle, offset ?? middle)
    if (bent > most) more = middle
    else less = middle
  }
  const found: Point = { spread: spread ?? less, offset: offset ?? less }
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
