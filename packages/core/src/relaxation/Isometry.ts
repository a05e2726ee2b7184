/**
 * Makes a map isometric on the span of its inputs: the closed form to which a sweep sets each hidden map.
 */
import { CholeskyDecomposition, EigenvalueDecomposition, inverse, Matrix } from "ml-matrix"
import type * as Bend from "./Bend.ts"
import type * as ForwardWalk from "./ForwardWalk.ts"

/** Directions of the data with singular values below this share of the largest are noise. */
const tolerance = 3e-3

/** So are those below this share of the norm of the inputs, for examples that are equal up to rounding. */
const rounding = 1e-7

/** How far offsets differ between units, as a share of the spread: if they did not, a circuit of odd functions would itself be odd. */
const offsets = 0.15

/** Solves one local problem in place. */
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
  if (V === undefined) return // all examples are equal: there is no information to pass on
  const W = Matrix.from1DArray(inputs, outputs, weight)
  const B = V.transpose().mmul(W)
  const T = isometric(B)
  // ‖c V T‖² is the energy that T keeps: all of it where the rows of T are orthonormal.
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

/** Right singular vectors of c, [inputs, k], with singular values above `tolerance` and `least`, if any, and the sum of their squares. */
const directions = (c: Matrix, least: number): { readonly V: Matrix | undefined; readonly energy: number } => {
  const byExample = c.rows < c.columns
  const gram = byExample ? c.mmul(c.transpose()) : c.transpose().mmul(c)
  const { eigenvectorMatrix, realEigenvalues } = new EigenvalueDecomposition(gram, { assumeSymmetric: true })
  const largest = Math.max(...realEigenvalues)
  // Largest first: Gram–Schmidt, which `isometric` amounts to, changes the first vectors least.
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

/** The map with its rows made orthonormal, or its columns where there are fewer of them. */
const isometric = (B: Matrix): Matrix => {
  const tall = B.rows > B.columns
  const gram = tall ? B.transpose().mmul(B) : B.mmul(B.transpose())
  // A map that loses directions has no isometric map near it; a tiny ridge supplies the missing ones.
  const ridge = (1e-10 * gram.trace()) / gram.rows || 1
  for (let i = 0; i < gram.rows; i++) gram.set(i, i, gram.get(i, i) + ridge)
  const L = new CholeskyDecomposition(gram).lowerTriangularMatrix
  return tall ? B.mmul(inverse(L.transpose())) : inverse(L).mmul(B)
}

const square = (m: Matrix): number => m.to1DArray().reduce((total, value) => total + value * value, 0)
