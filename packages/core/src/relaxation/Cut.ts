/**
 * The cut: the place where an activation is relaxed. A cut is a handler of the evaluation, not a change of the circuit.
 *
 *     free run    onCut = (path, ẑ) => ẑ
 *     relaxed     onCut = (path, ẑ) => { record L_h(z[path], ẑ); return z[path] }
 */
import * as Circuit from "../circuit/Circuit.ts"
import * as Graph from "../circuit/Graph.ts"
import type { Tensor } from "../tensor/Tensor.ts"

/** Which activations are relaxed. */
export interface Cut {
  /**
   * After which blocks: every linear map, every other block, every linear map but of a residual block its sum, those of other kinds, as in
   * `tanh` or `Gemm+Conv`, or those that a predicate on path and kind chooses. Cut within a residual block, what goes around it is not relaxed.
   */
  readonly after:
    | "linear"
    | "activation"
    | "residual"
    | (string & {})
    | ((site: { readonly path: string; readonly kind: string }) => boolean)
  /** Every k-th of these places, z_k, z_2k, … */
  readonly every: number
  /** Whether the circuit's output is relaxed too, as in the prototype; eq. 4 leaves it. */
  readonly output: boolean
}

/** The paper's choice: after every linear map, the output uncut (eq. 4). */
export const paper: Cut = { after: "linear", every: 1, output: false }

/** What an evaluation does where the circuit is cut. */
export interface Handler {
  /** The paths that are cut. */
  readonly sites: ReadonlySet<string>
  /** What goes on after the cut `place`, from its prediction ẑ. */
  readonly onCut: (place: string, prediction: Tensor) => Tensor
  /** What goes on after `place`, known before its prediction: then equal stages are computed together. */
  readonly auxiliary?: (place: string) => Tensor
  /** Is told what goes into each block. */
  readonly onInput?: (path: string, input: Tensor) => void
  /** Given in a step of training: then blocks are what they are in one. */
  readonly training?: Training | undefined
}

/** A circuit evaluated in a step of training. */
export interface Training {
  /** Whether there are random numbers: θ then finds `uniform` of each block that draws, else these blocks are as in the free run. */
  readonly random: boolean
  /** Is told ½ ‖r − s‖² of each running statistic r and what the batch says of it, s; `input` is what goes into the block `path`. */
  readonly onStatistic: (path: string, input: Tensor, distance: Tensor) => void
}

/** No cut: every activation is its prediction. */
export const none: Handler = { sites: new Set(), onCut: (_, prediction) => prediction }

/** Every place where `cut` relaxes the circuit, in order of evaluation; a repeated block once for each turn: `1.17.1`. */
export const sites = (circuit: Circuit.Circuit, cut: Cut): ReadonlySet<string> => {
  const all = Circuit.sites(circuit)
  const isWithin = Circuit.withinResidual(circuit)
  const ending = new Set(cut.output ? [] : outputs(circuit, "").paths)
  const chosen = all.filter((site) => matches(cut.after, site, isWithin(site.path)) && !ending.has(site.path))
  return new Set(chosen.filter((_, i) => (i + 1) % cut.every === 0).map(({ path }) => path))
}

const matches = (after: Cut["after"], { block, path, role }: Circuit.Site, isWithin: boolean): boolean => {
  if (typeof after === "function") return after({ path, kind: block.kind })
  if (after === "residual") return !isWithin && (block.kind === after || role === "map")
  if (after === "linear") return role === "map"
  if (after === "activation") return role === after
  return after.split("+").includes(block.kind)
}

/** The places that are the circuit's output, and whether what goes in is output too, since nothing is trained on the way. */
interface Outputs {
  readonly paths: ReadonlyArray<string>
  readonly passes: boolean
}

/** What a residual block adds to its input is not the output yet. */
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

/** Of parts one after the other, as far back as output passes. */
const last = (parts: ReadonlyArray<() => Outputs>): Outputs => {
  const paths: Array<string> = []
  for (const part of parts.toReversed()) {
    const own = part()
    paths.push(...own.paths)
    if (!own.passes) return { paths, passes: false }
  }
  return { paths, passes: true }
}
