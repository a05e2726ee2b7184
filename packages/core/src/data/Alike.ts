/**
 * Whether two sets of data mean the same by their columns and classes, which a circuit knows by their places alone.
 */
import { listed } from "./DataInvalid.ts"

/** What the columns and classes of data are called, where that is said. */
export interface Named {
  readonly inputNames?: ReadonlyArray<string> | undefined
  readonly classNames?: ReadonlyArray<string> | undefined
}

/** The columns or classes that two sets name alike in another order, the first set's and the second's. */
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
