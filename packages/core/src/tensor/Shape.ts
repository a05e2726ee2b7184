/**
 * Shapes with known and named dimensions, and the rules by which they combine.
 */

/** One dimension: a known length, or a name such as `batch` for a length that each run decides. */
export type Dimension = number | string

/** The dimensions of a tensor, outermost first; `[]` is a scalar. */
export type Shape = ReadonlyArray<Dimension>

/** Prints a shape, for example `[batch,100]`. */
export const show = (shape: Shape): string => `[${shape.join(",")}]`

/** Whether two shapes are equal in rank and in every dimension; a name equals only itself. */
export const equals = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((n, i) => n === b[i])

/** The shape to which `a` and `b` broadcast (NumPy's rule, aligned at the last dimension), or undefined. */
export const broadcast = (a: Shape, b: Shape): Shape | undefined => {
  const rank = Math.max(a.length, b.length)
  const shape: Array<Dimension> = []
  for (let i = 0; i < rank; i++) {
    const m = a[i - rank + a.length] ?? 1
    const n = b[i - rank + b.length] ?? 1
    if (m !== n && m !== 1 && n !== 1) return undefined
    shape.push(m === 1 ? n : m)
  }
  return shape
}

/** Number of elements, Π shape, with the named dimensions apart: `[batch, 2, 3]` holds 6 times `batch`. */
export const count = (shape: Shape): { readonly known: number; readonly named: ReadonlyArray<string> } => ({
  known: shape.reduce<number>((product, n) => (typeof n === "number" ? product * n : product), 1),
  named: shape.filter((n) => typeof n === "string").sort()
})

/** Whether both have the same number of elements, whatever the lengths of the named dimensions. */
export const sameCount = (a: Shape, b: Shape): boolean => {
  const [m, n] = [count(a), count(b)]
  return m.known === n.known && m.named.join() === n.named.join()
}

/** Replaces names by lengths; `lengths` must contain every name that occurs. */
export const resolve = (shape: Shape, lengths: ReadonlyMap<string, number>): ReadonlyArray<number> =>
  shape.map((n) => (typeof n === "number" ? n : (lengths.get(n) ?? Number.NaN)))
