/**
 * Names of axes in which the examples are joined with known ones, such as `batch·4`.
 */

/** An axis of before · name · after elements, in this order. */
export interface Axis {
  readonly before: number
  readonly name: string
  readonly after: number
}

/** Name of a joined axis; of one that is not, its own. */
export const nameOf = ({ after, before, name }: Axis): string =>
  [before, name, after].filter((part) => part !== 1).join("·")

/** The parts of a named axis. */
export const axisOf = (dimension: string): Axis => {
  const parts = dimension.split("·")
  const at = parts.findIndex((part) => !/^\d+$/.test(part))
  return { before: Number(parts[at - 1] ?? 1), name: parts[at]!, after: Number(parts[at + 1] ?? 1) }
}

/** Known part of a named axis. */
export const factorOf = (dimension: string): number => {
  const { after, before } = axisOf(dimension)
  return before * after
}
