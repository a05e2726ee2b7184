/**
 * The cut: the place where an activation is relaxed. A cut is a handler of the evaluation, not a change of the circuit.
 *
 *     free run    onCut = (path, ẑ) => ẑ
 *     relaxed     onCut = (path, ẑ) => { record L_h(z[path], ẑ); return z[path] }
 */
import * as Circuit from "../circuit/Circuit.ts"
import type { Tensor } from "../tensor/Tensor.ts"

/** Which activations are relaxed. */
export interface Cut {
  /**
   * After which blocks: every linear map, every other block, every linear map but of a residual block its sum, those of another kind, or those
   * that a predicate on path and kind chooses. Cut within a residual block, what goes around it is not relaxed.
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
}

/** No cut: every activation is its prediction. */
export const none: Handler = { sites: new Set(), onCut: (_, prediction) => prediction }

/** Every place where `cut` relaxes the circuit, in order of evaluation; a repeated block once for each turn: `1.17.1`. */
export const sites = (circuit: Circuit.Circuit, cut: Cut): ReadonlySet<string> => {
  const all = Circuit.sites(circuit)
  const sums = all.flatMap(({ block, path }) => (block.kind === "residual" ? [path === "" ? "" : `${path}.`] : []))
  const isWithin = (path: string) => sums.some((sum) => path !== "" && path.startsWith(sum))
  const chosen = all.filter(
    (site, i) => matches(cut.after, site, isWithin(site.path)) && (cut.output || !isOutput(all, i))
  )
  return new Set(chosen.filter((_, i) => (i + 1) % cut.every === 0).map(({ path }) => path))
}

const matches = (after: Cut["after"], { block, path }: Circuit.Site, isWithin: boolean): boolean => {
  if (typeof after === "function") return after({ path, kind: block.kind })
  if (after === "residual") return !isWithin && (block.kind === after || Circuit.isLinear(block))
  if (after === "linear") return Circuit.isLinear(block)
  if (after === "activation") return !Circuit.isLinear(block) && block.kind !== "residual"
  return block.kind === after
}

// Behind the output nothing is trained any more; what a residual block adds to its input is not the output yet.
const isOutput = (all: ReadonlyArray<Circuit.Site>, i: number): boolean =>
  all.slice(i + 1).every(({ around, block }) => around === undefined && Object.keys(block.parameters).length === 0)
