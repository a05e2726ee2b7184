/**
 * Random orthogonal maps, uniform in the Haar measure.
 */
import type { Pseudorandom } from "../random/Pseudorandom.ts"

/**
 * A map [inputs, outputs], row-major, with orthonormal rows or columns, whichever are fewer: a Gaussian matrix made orthonormal by Gram–Schmidt,
 * which keeps the diagonal of R positive, so no signs need correcting.
 */
export const make = (inputs: number, outputs: number, random: Pseudorandom): Float64Array => {
  const [count, length] = inputs <= outputs ? [inputs, outputs] : [outputs, inputs]
  const V = random.normals(count * length)
  const before = Float64Array.from({ length: count }, (_, i) => norm(V, i * length, length))
  for (let v = 0; v < V.length; v += length) {
    // Where little is left, rounding dominates, so project again; twice is enough (Giraud et al. 2005).
    if (norm(V, v, length) < 0.1 * before[v / length]!) for (let u = 0; u < v; u += length) project(V, v, u, length)
    const left = norm(V, v, length)
    for (let k = v; k < v + length; k++) V[k]! /= left
    for (let w = v + length; w < V.length; w += length) project(V, w, v, length)
  }
  if (inputs <= outputs) return V
  const W = new Float64Array(V.length)
  for (let k = 0; k < W.length; k++) W[k] = V[(k % outputs) * length + Math.floor(k / outputs)]!
  return W
}

/**
 * [[Q, −Q], [−Q, Q]] with Q orthogonal of half the size: after mirrored units and followed by relu, an orthogonal map. If a size is odd, the last
 * input is not read, and the last output is a random sum of the inputs, so that its unit is alive.
 */
export const mirrored = (inputs: number, outputs: number, random: Pseudorandom): Float64Array => {
  const [rows, columns] = [Math.floor(inputs / 2), Math.floor(outputs / 2)]
  if (rows === 0 || columns === 0) return make(inputs, outputs, random)
  const Q = make(rows, columns, random)
  const W = new Float64Array(inputs * outputs)
  for (let i = 0; i < inputs; i++) {
    if (outputs > 2 * columns) W[(i + 1) * outputs - 1] = random.normals(1)[0]! / Math.sqrt(inputs)
    for (let j = 0; j < 2 * columns && i < 2 * rows; j++) {
      const sign = i < rows === j < columns ? 1 : -1
      W[i * outputs + j] = sign * Q[(i % rows) * columns + (j % columns)]!
    }
  }
  return W
}

/** Makes the second half of each row the negative of its first half, in place. */
export const mirror = (rows: Float32Array, length: number): void => {
  const half = Math.floor(length / 2)
  for (let start = 0; start < rows.length; start += length) {
    for (let j = 0; j < half; j++) rows[start + half + j] = -rows[start + j]!
  }
}

/** v ← v − (u · v) u, for the vectors of the given length that start at offsets v and u. */
const project = (V: Float64Array, v: number, u: number, length: number): void => {
  // Two sums in parallel, because each addition waits for the previous one.
  let [even, odd] = [0, 0]
  for (let k = 0; k + 1 < length; k += 2) {
    even += V[u + k]! * V[v + k]!
    odd += V[u + k + 1]! * V[v + k + 1]!
  }
  if (length % 2 === 1) even += V[u + length - 1]! * V[v + length - 1]!
  const along = even + odd
  for (let k = 0; k < length; k++) V[v + k]! -= along * V[u + k]!
}

const norm = (V: Float64Array, start: number, length: number): number => {
  let sum = 0
  for (let k = start; k < start + length; k++) sum += V[k]! * V[k]!
  return Math.sqrt(sum)
}
