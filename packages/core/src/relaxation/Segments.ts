/**
 * How a repeated block divides into equal segments between its cuts, so that all of them can be computed together.
 *
 *     turns   0 1 2 | 3 4 5 6 | 7 8 9 10 | 11 12        cut after 2, 6 and 10
 *             head    segment   segment    tail          period 4
 */
import * as Circuit from "../circuit/Circuit.ts"

/** The cut turns are `first`, `first + period`, …, `count` in all, each cut at the same leaves. */
export interface Segments {
  readonly first: number
  readonly period: number
  readonly count: number
  /** Names of the stacks of cut sites: `1.*.1`. */
  readonly places: ReadonlyArray<string>
}

/**
 * The segments of the block repeated at `path`; undefined where it contains repeats itself, fewer than two turns are cut, the cuts are not
 * regular, or a path bypasses them.
 */
export const of = (repeat: Circuit.Repeat, path: string, sites: ReadonlySet<string>): Segments | undefined => {
  if (Circuit.leaves(repeat.child).some(({ stack }) => stack.length > 0)) return undefined
  const paths = Circuit.sites(repeat.child, Circuit.join(path, "*")).map((site) => site.path)
  const cutAt = (turn: number) => paths.filter((leaf) => sites.has(atTurn(path, leaf, turn)))
  const turns = Array.from({ length: repeat.times }, (_, turn) => turn).filter((turn) => cutAt(turn).length > 0)
  const [first, second] = turns
  if (first === undefined || second === undefined) return undefined
  const period = second - first
  const places = cutAt(first)
  const regular = turns.every((turn, i) => turn === first + i * period && cutAt(turn).join() === places.join())
  const stacked = regular && parts(repeat.child, Circuit.join(path, "*"), new Set(places))
  return stacked ? { first, period, count: turns.length, places } : undefined
}

/** Whether every path through meets a cut, so that the output depends on auxiliaries alone. A skip connection bypasses a residual block's child. */
const parts = (circuit: Circuit.Circuit, path: string, sites: ReadonlySet<string>): boolean => {
  switch (circuit._tag) {
    case "Block":
    case "Residual":
      return sites.has(path)
    case "Sequence":
      return circuit.children.some((child, i) => parts(child, Circuit.join(path, i), sites))
    case "Branch":
      return sites.has(path) || circuit.children.every((child, i) => parts(child, Circuit.join(path, i), sites))
    case "Repeat":
      return false
  }
}

/** The site `1.17.1` of the stack `1.*.1` at turn 17 of the block repeated at `1`. */
export const atTurn = (path: string, stacked: string, turn: number): string =>
  Circuit.join(path, turn) + stacked.slice(Circuit.join(path, "*").length)

/** Where one auxiliary array lives: a single site, or the same site at equally spaced turns, stacked. */
export interface Place {
  readonly name: string
  readonly sites: ReadonlyArray<string>
  readonly stacked: boolean
}

/** Every place of a cut circuit, in order of evaluation. */
export const places = (circuit: Circuit.Circuit, sites: ReadonlySet<string>, path = ""): ReadonlyArray<Place> => {
  switch (circuit._tag) {
    case "Block":
      return Circuit.sites(circuit, path).flatMap((site) =>
        sites.has(site.path) ? [{ name: site.path, sites: [site.path], stacked: false }] : []
      )
    case "Sequence":
      return circuit.children.flatMap((child, i) => places(child, sites, Circuit.join(path, i)))
    case "Residual":
    case "Branch": {
      const own = sites.has(path) ? [{ name: path, sites: [path], stacked: false }] : []
      const children = circuit._tag === "Branch" ? circuit.children : [circuit.child]
      return [...children.flatMap((child, i) => places(child, sites, Circuit.join(path, i))), ...own]
    }
    case "Repeat": {
      const segments = of(circuit, path, sites)
      if (segments === undefined) {
        return Array.from({ length: circuit.times }, (_, turn) =>
          places(circuit.child, sites, Circuit.join(path, turn))
        ).flat()
      }
      return segments.places.map((name) => ({
        name,
        stacked: true,
        sites: Array.from({ length: segments.count }, (_, s) =>
          atTurn(path, name, segments.first + s * segments.period)
        )
      }))
    }
  }
}
