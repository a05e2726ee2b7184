/**
 * The mini-batch form of relaxing. Each batch gets new auxiliaries, z_t = ẑ_t − d_t, from one backward Gauss–Seidel sweep with normalised
 * steps; each map then has a local problem of its own, ½ Σ ‖ẑ_t − z_t‖², whose input is the free run's activation:
 *
 *     d_T = ∂ℓ/∂ẑ_T;  g = (∂ẑ_{t+1}/∂ẑ_t)ᵀ d_{t+1};  d_t = s g / rms(g), each example by itself, with s = ‖d_T‖/√2, or ‖d_T‖ of a single output
 *
 * Without the normalisation, d_t is the gradient itself and the sweep is backpropagation; with it, no stage's signal vanishes.
 */
import * as Circuit from "../circuit/Circuit.ts"
import type { Loss } from "../optimization/Loss.ts"
import { gradients } from "../program/Gradient.ts"
import { stack, type Tensor } from "../tensor/Tensor.ts"
import * as Throwing from "../tensor/Throwing.ts"
import type { Training } from "./Cut.ts"
import { evaluate, type Theta } from "./Evaluation.ts"
import { scalar } from "./RelaxedObjective.ts"

/** What a local step needs, with parameters in the order requested. */
export interface LocalStep {
  /** L_y of the free run on the batch: [] */
  readonly loss: Tensor
  /** Gradient of each parameter's local problem, divided by the batch size. */
  readonly slopes: ReadonlyArray<Tensor>
  /** Mean input of each linear map over the batch and any axes in between, by the map's leaf: [inputs], or [turns, inputs]. */
  readonly means: ReadonlyMap<string, Tensor>
}

/** x: [batch, inputs], y: [batch, outputs]; `names` are the parameters' full names; `training` is given within a training step. */
export const make = (
  circuit: Circuit.Circuit,
  sites: ReadonlySet<string>,
  L_y: Loss,
  θ: Theta,
  names: ReadonlyArray<string>,
  x: Tensor,
  y: Tensor,
  training?: Training
): LocalStep => {
  const predictions: Array<Tensor> = []
  const inputs = new Map<string, Tensor>()
  const output = evaluate(circuit, θ, x, {
    sites,
    training,
    onCut: (_, ẑ) => {
      predictions.push(ẑ)
      return ẑ
    },
    onInput: (path, z) => inputs.set(path, z)
  })
  const loss = Throwing.at("the loss", () => scalar(L_y(output, y)))
  const [dL] = gradients(loss, [output]) // [batch, outputs], each row divided by the batch size
  const s = dL!
    .square()
    .sum([1])
    .mul(output.shape[1] === 1 ? 1 : 0.5)
    .sqrt()
  const passing = new Map(predictions.map((ẑ) => [ẑ, (g: Tensor) => normalised(g, s)] as const))
  const slopes = gradients(
    loss,
    names.map((name) => θ(name)),
    undefined,
    passing
  )
  const means = new Map<string, Tensor>()
  const stackOf = new Map(Circuit.leaves(circuit).map(({ path, stack: turns }) => [path, turns]))
  const linear = Circuit.sites(circuit).filter(({ block }) => block.kind === "linear")
  for (const [leaf, own] of Map.groupBy(linear, ({ leaf: of }) => of)) {
    const each = own.map(({ path }) => meanRow(inputs.get(path)!))
    const turns = stackOf.get(leaf)!
    means.set(leaf, turns.length === 0 ? each[0]! : stack(each).reshape([...turns, each[0]!.shape[0]!]))
  }
  return { loss, slopes, means }
}

/** The mean over all rows: [batch, …, inputs] → [inputs] */
const meanRow = (z: Tensor): Tensor => {
  const rows = z.shape.slice(0, -1).map(Number)
  return z
    .sum(rows.map((_, axis) => axis))
    .mul(1 / rows.reduce((product, n) => product * n))
    .reshape([z.shape.at(-1)!])
}

/** s g / rms(g) per example; g: [batch, …], s: [batch, 1]. */
const normalised = (g: Tensor, s: Tensor): Tensor => {
  const flat = g.reshape([g.shape[0]!, g.shape.slice(1).reduce<number>((total, n) => total * Number(n), 1)])
  // Scale by the largest entry first: squares of small numbers underflow in float32.
  const bounded = flat.div(flat.abs().max([1]).add(1e-30))
  const rms = bounded
    .square()
    .sum([1])
    .mul(1 / Number(flat.shape[1]))
    .sqrt()
    .add(1e-30)
  return bounded.mul(s.div(rms)).reshape(g.shape)
}

/**
 * The gradient in coordinates centred on the batch, y = (x − m) W + b′: g_W − m g_bᵀ; g_W: [.., inputs, outputs], m: [.., inputs],
 * g_b: [.., outputs].
 */
export const centred = (gW: Tensor, gb: Tensor, m: Tensor): Tensor => gW.sub(column(m).mul(row(gb)))

/** The bias that keeps b′ unchanged when W moves by ΔW: b ← b − m ΔW. */
export const compensated = (b: Tensor, ΔW: Tensor, m: Tensor): Tensor => b.sub(row(m).matMul(ΔW).reshape(b.shape))

const row = (v: Tensor): Tensor => v.reshape([...v.shape.slice(0, -1), 1, v.shape.at(-1)!])

const column = (v: Tensor): Tensor => v.reshape([...v.shape, 1])
