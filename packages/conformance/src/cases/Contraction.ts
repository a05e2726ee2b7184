/**
 * Matrix products: ranks 2 to 4, with both transposes.
 */
import { NdArray } from "@rai/core"
import * as Case from "../Case.ts"
import * as Numbers from "../Numbers.ts"

const exchanged = (shape: ReadonlyArray<number>) => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!]

const sizes: ReadonlyArray<readonly [leading: ReadonlyArray<number>, rows: number, inner: number, columns: number]> = [
  [[], 1, 1, 1],
  [[], 2, 3, 4],
  [[], 1, 5, 2],
  [[3], 2, 4, 3],
  [[2], 1, 3, 1],
  [[2, 3], 2, 2, 3]
]

const products = sizes.flatMap(([leading, rows, inner, columns], i) =>
  [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => {
      const [left, right] = [
        [...leading, rows, inner],
        [...leading, inner, columns]
      ]
      const a = transposeA ? exchanged(left) : left
      const b = transposeB ? exchanged(right) : right
      const name = `matMul of [${a}]${transposeA ? "ᵀ" : ""} and [${b}]${transposeB ? "ᵀ" : ""}`
      const inputs = { a: Numbers.array(a, 4 * i), b: Numbers.array(b, 4 * i + 1, { turn: 2 }) }
      return Case.make(name, inputs, (given) => ({ y: given.a.matMul(given.b, { transposeA, transposeB }) }))
    })
  )
)

const edges = [
  Case.make(
    "matMul of a batch",
    { x: Numbers.array([7, 3], 40), w: Numbers.array([3, 2], 41) },
    ({ w, x }) => ({
      y: x.matMul(w)
    }),
    { batched: ["x"] }
  ),
  Case.make("matMul of a matrix with itself", { a: Numbers.array([3, 3], 42) }, ({ a }) => ({
    square: a.matMul(a),
    gram: a.matMul(a, { transposeB: true })
  })),
  Case.make(
    "matMul of NaN and infinities",
    {
      a: NdArray.make([3, 2], [Number.NaN, 1, Infinity, 2, 3, 4]),
      b: Numbers.array([2, 2], 43, { domain: Numbers.positive })
    },
    ({ a, b }) => ({ y: a.matMul(b) }),
    { smooth: false }
  )
]

/** Cases of the contractions. */
export const cases: ReadonlyArray<Case.Case> = [...products, ...edges]
