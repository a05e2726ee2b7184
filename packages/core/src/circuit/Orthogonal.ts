/**
 * Random orthogonal maps, uniform by Haar's measure.
 */
import type { Pseudorandom } from "../random/Pseudorandom.ts"

/**
 * A map [inputs, outputs], row-major, with orthonormal rows or columns, whichever are fewer: a Gaussian matrix made orthonormal by
 * Gram–Schmidt, which keeps the diagonal of R positive and so needs no change of signs.
 */
export const make = (inputs: number, outputs: number, random: Pseudorandom): Float64Array => {
  const [count, length] = inputs <= outputs ? [inputs, outputs] : [outputs, inputs]
  const vectors: Array<Float64Array> = []
  for (let i = 0; i < count; i++) {
    const v = random.normals(length)
    const before = Math.sqrt(dot(v, v))
    project(v, vectors)
    // Where little is left, rounding has its share in it; twice is enough (Giraud et al. 2005).
    if (Math.sqrt(dot(v, v)) < 0.1 * before) project(v, vectors)
    const norm = Math.sqrt(dot(v, v))
    vectors.push(v.map((x) => x / norm))
  }
  const W = new Float64Array(inputs * outputs)
  for (const [i, v] of vectors.entries()) {
    for (let k = 0; k < length; k++) W[inputs <= outputs ? i * outputs + k : k * outputs + i] = v[k]!
  }
  return W
}

/**
 * [[Q, −Q], [−Q, Q]] with Q orthogonal of half the size: with relu behind it and mirrored units in front, an orthogonal map. Of odd sizes,
 * the last input is not read, and the last output is a random sum of the inputs, so that its unit is alive.
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

/** Takes its part along each of the orthonormal vectors out of v, in place. */
const project = (v: Float64Array, vectors: ReadonlyArray<Float64Array>): void => {
  for (const u of vectors) {
    const along = dot(u, v)
    for (let k = 0; k < v.length; k++) v[k]! -= along * u[k]!
  }
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
