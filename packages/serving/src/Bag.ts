/**
 * Things in no order that come and go by the thousand a second. A `Set` would serve, were it not for V8's tables: each points to the one that
 * follows it as it grows or shrinks, so once one has grown old, all that was ever in those after it outlives every collection of young memory.
 */

/** What can be in one bag at a time; it knows where. */
export interface Item {
  place: number
}

/** The place of what is in no bag. */
export const nowhere = -1

export const has = <A extends Item>(bag: ReadonlyArray<A>, item: A): boolean => bag[item.place] === item

/** Puts it in, where it is not there yet. */
export const add = <A extends Item>(bag: Array<A>, item: A): void => {
  if (!has(bag, item)) item.place = bag.push(item) - 1
}

/** Takes it out, the last into its place; says whether it was there. */
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
