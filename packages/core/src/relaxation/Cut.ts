/**
 * The cut: the place where an activation is relaxed. A cut is a handler of the evaluation, not a change of the circuit.
 *
 *     free run    onCut = (path, ẑ) => ẑ
 *     relaxed     onCut = (path, ẑ) => { record L_h(z[path], ẑ); return z[path] }
 */
import * as Circuit from "../circuit/Circuit.ts"
import * as Graph from "../circuit/Graph.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import * as Throwing from "../tensor/Throwing.ts"

/** Which activations are relaxed. */
export interface Cut {
  /**
   * After which blocks: `linear` is every linear map; `activation` every other block; `residual` every linear map, but for a residual block
   * only its sum; other kinds go by name, as in `tanh` or `Gemm+Conv`; a predicate chooses by path and kind. A cut inside a residual block does
   * not relax the skip connection.
   */
  readonly after:
    | "linear"
    | "activation"
    | "residual"
    | (string & {})
    | ((site: { readonly path: string; readonly kind: string }) => boolean)
  /** Every k-th of these places, z_k, z_2k, … */
  readonly every: number
  /** Whether the circuit's output is relaxed too, as in the prototype; eq. 4 does not relax it. */
  readonly output: boolean
}

/** The paper's choice: after every linear map, the output uncut (eq. 4). */
export const paper: Cut = { after: "linear", every: 1, output: false }

/** What an evaluation does where the circuit is cut. */
export interface Handler {
  /** The paths that are cut. */
  readonly sites: ReadonlySet<string>
  /** Returns the value to go on with after the cut `place`, given its prediction ẑ. */
  readonly onCut: (place: string, prediction: Tensor) => Tensor
  /** Returns the value to go on with after `place`, known before its prediction: equal stages are then computed together. */
  readonly auxiliary?: (place: string) => Tensor
  /** Called with the input of each block. */
  readonly onInput?: (path: string, input: Tensor) => void
  /** Present in a training step: blocks then use their training-time formulas. */
  readonly training?: Training | undefined
}

/** How a training step evaluates a circuit. */
export interface Training {
  /** Whether random numbers are given: θ then finds `uniform` for each block that draws; otherwise these blocks behave as in the free run. */
  readonly random: boolean
  /** Called with ½ ‖r − s‖² for each running statistic r and its value s in this batch; `input` is the input of the block `path`. */
  readonly onStatistic: (path: string, input: Tensor, distance: Tensor) => void
}

/** No cut: every activation is its prediction. */
export const none: Handler = { sites: new Set(), onCut: (_, prediction) => prediction }

/** Every place where `cut` relaxes the circuit, in order of evaluation; a repeated block yields one per turn: `1.17.1`. */
export const sites = (circuit: Circuit.Circuit, cut: Cut): ReadonlySet<string> => {
  const all = Circuit.sites(circuit)
  const isWithin = Circuit.withinResidual(all)
  const ending = new Set(cut.output ? [] : outputs(circuit, "").paths)
  const chosen = all.filter((site) => matches(cut.after, site, isWithin(site.path)) && !ending.has(site.path))
  return new Set(chosen.filter((_, i) => (i + 1) % cut.every === 0).map(({ path }) => path))
}

const matches = (after: Cut["after"], { block, path, role }: Circuit.Site, isWithin: boolean): boolean => {
  if (typeof after === "function") return Throwing.at(`«after» of ${path}`, () => after({ path, kind: block.kind }))
  if (after === "residual") return !isWithin && (block.kind === after || role === "map")
  if (after === "linear") return role === "map"
  if (after === "activation") return role === after
  return after.split("+").includes(block.kind)
}

/** The places that count as the circuit's output, and whether their input counts as output too because nothing in between is trained. */
interface Outputs {
  readonly paths: ReadonlyArray<string>
  readonly passes: boolean
}

/** The child of a residual block is never the output: its result is still added to the block's input. */
const outputs = (circuit: Circuit.Circuit, path: string): Outputs => {
  switch (circuit._tag) {
    case "Block":
      if (circuit.graph !== undefined) {
        return { paths: Graph.outputs(circuit).map((name) => Circuit.join(path, name)), passes: false }
      }
      return { paths: [path], passes: Object.keys(circuit.parameters).length === 0 }
    case "Sequence":
      return last(circuit.children.map((child, i) => () => outputs(child, Circuit.join(path, i))))
    case "Repeat":
      return last(
        Array.from({ length: circuit.times }, (_, turn) => () => outputs(circuit.child, Circuit.join(path, turn)))
      )
    case "Residual":
      return { paths: [path], passes: false }
    case "Branch": {
      const own = circuit.children.map((child, i) => outputs(child, Circuit.join(path, i)))
      return { paths: [path, ...own.flatMap(({ paths }) => paths)], passes: own.every(({ passes }) => passes) }
    }
  }
}

/** The outputs of parts in sequence, going back as long as each part passes. */
const last = (parts: ReadonlyArray<() => Outputs>): Outputs => {
  const paths: Array<string> = []
  for (const part of parts.toReversed()) {
    const own = part()
    paths.push(...own.paths)
    if (!own.passes) return { paths, passes: false }
  }
  return { paths, passes: true }
}
