/**
 * Fair samples of lists that are too long to be drawn.
 */
import { Pseudorandom } from "@rai/core"

/** So many of the items, in their order, each with the same chance and alike on every call (Knuth's algorithm S); all of them where there are no more. */
export const fair = <A>(items: ReadonlyArray<A>, size: number): ReadonlyArray<A> => {
  if (items.length <= size) return items
  const random = Pseudorandom.make(0)
  const taken: Array<A> = []
  for (const [i, item] of items.entries()) {
    if (random.uniform(0, 1) * (items.length - i) < size - taken.length) taken.push(item)
  }
  return taken
}
