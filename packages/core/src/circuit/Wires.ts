/**
 * The wires between the blocks of a circuit, each with the kinds of blocks that write and read it. z, f(z) and their sum around a residual block form
 * one wire, since they share a unit of measure; so do wires that are concatenated, and the two sides of a block that only moves numbers around.
 */
import * as Circuit from "./Circuit.ts"

/** The kinds of the blocks at either end of a wire; the circuit's own ends are `input` and `output`. */
export interface Wire {
  readonly writers: Set<string>
  readonly readers: Set<string>
}

/** The wires that a block reads and writes. */
export interface Ends {
  readonly input: Wire
  readonly output: Wire
}

/** The wires of each block by its path; blocks that only pass numbers on have none. */
export const make = (circuit: Circuit.Circuit): ReadonlyMap<string, Ends> => {
  /** For each wire the one that it is joined to, initially itself. */
  const joined: Array<number> = []
  const fresh = () => joined.push(joined.length) - 1
  const find = (wire: number): number => (joined[wire] === wire ? wire : find(joined[wire]!))
  const blocks: Array<{ readonly path: string; readonly kind: string; readonly from: number; readonly to: number }> = []
  const walk = (part: Circuit.Circuit, path: string, from: number): number => {
    switch (part._tag) {
      case "Block": {
        if (part.isPassing) return from
        const to = fresh()
        blocks.push({ path, kind: part.kind, from, to })
        return to
      }
      case "Sequence":
        return part.children.reduce((wire, child, i) => walk(child, Circuit.join(path, i), wire), from)
      case "Repeat":
        return Array.from({ length: part.times }).reduce<number>(
          (wire, _, turn) => walk(part.child, Circuit.join(path, turn), wire),
          from
        )
      case "Residual": {
        joined[find(walk(part.child, Circuit.join(path, 0), from))] = find(from)
        return from
      }
      case "Branch":
        return part.children
          .map((child, i) => walk(child, Circuit.join(path, i), from))
          .reduce((a, b) => {
            joined[find(b)] = find(a)
            return a
          })
    }
  }
  const first = fresh()
  const last = walk(circuit, "", first)
  const wires = joined.map((): Wire => ({ writers: new Set(), readers: new Set() }))
  const at = (wire: number) => wires[find(wire)]!
  at(first).writers.add("input")
  at(last).readers.add("output")
  return new Map(
    blocks.map(({ from, kind, path, to }) => {
      at(from).readers.add(kind)
      at(to).writers.add(kind)
      return [path, { input: at(from), output: at(to) }]
    })
  )
}
