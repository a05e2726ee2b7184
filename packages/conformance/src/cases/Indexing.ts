/**
 * Numbers as positions: `oneHot`.
 */
import { NdArray } from "@rai/core"
import * as Case from "../Case.ts"
import * as Numbers from "../Numbers.ts"

const shaped = [[], [5], [2, 3], [2, 1, 4]].map((shape, i) => {
  const x = Numbers.array(shape, i)
  const indices = { shape, data: x.data.map((value) => Math.floor(Math.abs(value))) }
  return Case.make(`oneHot of [${shape}]`, { x: indices }, (given) => ({ y: given.x.oneHot(3) }))
})

/** Cases of `oneHot`. */
export const cases: ReadonlyArray<Case.Case> = [
  ...shaped,
  Case.make(
    "oneHot of a batch",
    { x: NdArray.make([4, 2], [0, 1, 2, 3, 4, 0, 1, 2]) },
    ({ x }) => ({ y: x.oneHot(5) }),
    { batched: ["x"] }
  ),
  Case.make(
    "oneHot of what is none of the classes",
    { x: NdArray.make([7], [-1, 3, 0.5, -0, Number.NaN, Infinity, -Infinity]) },
    ({ x }) => ({ y: x.oneHot(3) }),
    { smooth: false }
  )
]
