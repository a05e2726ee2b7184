/**
 * Whether two data sets agree in the order of their columns and classes, which a circuit tells apart only by position.
 */
import { listed } from "./DataInvalid.ts"

/** Names of the columns and classes of data, where known. */
export interface Named {
  readonly inputNames?: ReadonlyArray<string> | undefined
  readonly classNames?: ReadonlyArray<string> | undefined
}

/**
 * Returns the columns or classes that two data sets name alike but in different order, the first set's and the second's; undefined if there are
 * none.
 */
export const disordered = (
  first: Named,
  second: Named
): { readonly expected: string; readonly came: string } | undefined => {
  const pairs = [
    ["the columns", first.inputNames, second.inputNames],
    ["the classes", first.classNames, second.classNames]
  ] as const
  for (const [what, expected = [], came = []] of pairs) {
    const isAlike = expected.length === came.length && came.every((name) => expected.includes(name))
    if (isAlike && came.some((name, i) => name !== expected[i]))
      return { expected: `${what} ${listed(expected)}`, came: listed(came) }
  }
  return undefined
}
