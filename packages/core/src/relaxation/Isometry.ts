/**
 * A map made isometric on the span of its inputs: the closed form that a sweep sets each hidden map to.
 */
import { CholeskyDecomposition, EigenvalueDecomposition, inverse, Matrix } from "ml-matrix"
import type * as Bend from "./Bend.ts"
import type * as ForwardWalk from "./ForwardWalk.ts"

/** Directions of the data below this share of the largest singular value are noise. */
const tolerance = 3e-3

/** And so are those below this share of the inputs' size, where the examples are all one but for rounding. */
const rounding = 1e-7

/** How far offsets differ from unit to unit, as a share of the spread: with none, a circuit of odd functions would be odd itself. */
const offsets = 0.15

/** One local problem, in place. */
export const fit = ({ bias, input, weight }: ForwardWalk.Reached, { offset, spread }: Bend.Point): void => {
  const [examples, inputs] = input.shape as readonly [number, number]
  const outputs = bias.length
  const mean = new Float64Array(inputs)
  for (let i = 0; i < examples; i++) for (let k = 0; k < inputs; k++) mean[k]! += input.data[i * inputs + k]! / examples
  const c = new Matrix(examples, inputs)
  for (let i = 0; i < examples; i++)
    for (let k = 0; k < inputs; k++) c.set(i, k, input.data[i * inputs + k]! - mean[k]!)
  let size = 0
  for (const a of input.data) size += a * a
  const { energy, V } = directions(c, rounding ** 2 * size)
  if (V === undefined) return // all examples are one: there is nothing to carry on
  const W = Matrix.from1DArray(inputs, outputs, weight)
  const B = V.transpose().mmul(W)
  const T = isometric(B)
  // ‖c V T‖² is the energy kept by T: all of it where its rows are orthonormal.
  const kept = B.rows <= outputs ? energy : square(c.mmul(V).mmul(T))
  const γ = spread / Math.sqrt(kept / (examples * outputs) || 1)
  const change = V.mmul(T.clone().mul(γ).sub(B))
  W.add(change)
  weight.set(W.to1DArray())
  const own = Math.hypot(...bias) / Math.sqrt(outputs) || 1
  const through = Matrix.rowVector([...mean]).mmul(W)
  for (let j = 0; j < outputs; j++) {
    bias[j] = offset + (offset === 0 ? (offsets * spread * bias[j]!) / own : 0) - through.get(0, j)
  }
}

/** The right singular vectors of c: [inputs, k], of singular values above tolerance and `least`, if any, and the sum of those values' squares. */
const directions = (c: Matrix, least: number): { readonly V: Matrix | undefined; readonly energy: number } => {
  const byExample = c.rows < c.columns
  const gram = byExample ? c.mmul(c.transpose()) : c.transpose().mmul(c)
  const { eigenvectorMatrix, realEigenvalues } = new EigenvalueDecomposition(gram, { assumeSymmetric: true })
  const largest = Math.max(...realEigenvalues)
  // Largest first: Gram–Schmidt, which `isometric` is, changes the first least.
  const chosen = realEigenvalues
    .flatMap((value, i) => (value > Math.max(least, tolerance ** 2 * largest) ? [i] : []))
    .sort((i, j) => realEigenvalues[j]! - realEigenvalues[i]!)
  if (chosen.length === 0) return { V: undefined, energy: 0 }
  const vectors = eigenvectorMatrix.subMatrixColumn(chosen)
  const energy = chosen.reduce((total, i) => total + realEigenvalues[i]!, 0)
  if (!byExample) return { V: vectors, energy }
  const V = c.transpose().mmul(vectors)
  chosen.forEach((i, column) => {
    V.mulColumn(column, 1 / Math.sqrt(realEigenvalues[i]!))
  })
  return { V, energy }
}

/** The given map with its rows made orthonormal, or its columns where they are fewer. */
const isometric = (B: Matrix): Matrix => {
  const tall = B.rows > B.columns
  const gram = tall ? B.transpose().mmul(B) : B.mmul(B.transpose())
  // A map that loses directions has no isometric one beside it; the least ridge gives these some.
  const ridge = (1e-10 * gram.trace()) / gram.rows || 1
  for (let i = 0; i < gram.rows; i++) gram.set(i, i, gram.get(i, i) + ridge)
  const L = new CholeskyDecomposition(gram).lowerTriangularMatrix
  return tall ? B.mmul(inverse(L.transpose())) : inverse(L).mmul(B)
}

const square = (m: Matrix): number => m.to1DArray().reduce((total, value) => total + value * value, 0)
