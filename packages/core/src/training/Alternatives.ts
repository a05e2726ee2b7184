/**
 * Advice that leaves a choice.
 */

/** Joins alternatives with "or"; `false` marks one already done, which is left out. */
export const either = (...options: ReadonlyArray<string | false>): string => {
  const left = options.filter((option) => option !== false)
  return left.length < 2 ? left.join("") : `${left.slice(0, -1).join(", ")}, or ${left.at(-1)}`
}
