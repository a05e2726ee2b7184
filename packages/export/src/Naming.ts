/**
 * Unique names.
 */

/** Returns a function that gives each wanted name out once; a name that is taken gets a number appended. */
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
