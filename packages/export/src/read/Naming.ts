/**
 * Names, each given once.
 */

/** Names as they are wanted, with a number behind those that were given before. */
export const make = (): ((wanted: string) => string) => {
  const taken = new Set<string>()
  const times = new Map<string, number>()
  return (wanted) => {
    let name = wanted
    while (taken.has(name)) {
      const n = (times.get(wanted) ?? 1) + 1
      times.set(wanted, n)
      name = `${wanted}_${n}`
    }
    taken.add(name)
    return name
  }
}
