/**
 * Unordered items that come and go by the thousand a second. A `Set` would do, were it not for V8's hash tables: when one grows or shrinks, the old
 * table points to the new one, so once a table has reached the old generation, everything its successors ever held survives every young-generation
 * collection.
 */

/** An item, in at most one bag at a time; `place` is its index there. */
export interface Item {
  place: number
}

/** The `place` of an item that is in no bag. */
export const nowhere = -1

export const has = <A extends Item>(bag: ReadonlyArray<A>, item: A): boolean => bag[item.place] === item

/** Adds an item, unless the bag has it already. */
export const add = <A extends Item>(bag: Array<A>, item: A): void => {
  if (!has(bag, item)) item.place = bag.push(item) - 1
}

/** Removes an item by moving the last one into its place; returns whether the bag had it. */
export const remove = <A extends Item>(bag: Array<A>, item: A): boolean => {
  if (!has(bag, item)) return false
  const last = bag.pop()!
  if (last !== item) {
    bag[item.place] = last
    last.place = item.place
  }
  item.place = nowhere
  return true
}
