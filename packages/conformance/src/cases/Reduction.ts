/**
 * Sums and maxima over every choice of axes.
 */
import { NdArray } from "@rai/core"
import * as Case from "../Case.ts"
import * as Numbers from "../Numbers.ts"

/** Returns every non-empty choice of axes for a rank. */
const choices = (rank: number): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: 2 ** rank - 1 }, (_, bits) =>
    Array.from({ length: rank }, (_, axis) => axis).filter((axis) => ((bits + 1) >> axis) & 1)
  )

const shaped = [[4], [2, 3], [3, 1, 2], [2, 3, 1, 2]].flatMap((shape, i) =>
  choices(shape.length).map((axes, j) => {
    const x = Numbers.distinct(shape, 20 * i + j)
    return Case.make(`sum and max of [${shape}] over axes ${axes.join(", ")}`, { x }, (given) => ({
      sum: given.x.sum(axes),
      max: given.x.max(axes)
    }))
  })
)

const indices = [[4], [2, 3], [2, 3, 4], [2, 3, 1, 2]].flatMap((shape, i) =>
  shape.map((_, axis) =>
    Case.make(`argMax of [${shape}] along axis ${axis}`, { x: Numbers.distinct(shape, 7 * i + axis) }, ({ x }) => ({
      y: x.argMax(axis)
    }))
  )
)

const broken = NdArray.make([4, 3], [1, Number.NaN, 2, 1, Infinity, 2, 3, -Infinity, 4, Infinity, 1, -Infinity])

const edges = [
  Case.make("sum and mean of everything, a scalar", { x: Numbers.array([2, 3], 5) }, ({ x }) => ({
    total: x.total(),
    mean: x.mean()
  })),
  Case.make("sum over a batch", { x: Numbers.array([5, 3], 6) }, ({ x }) => ({ y: x.sum([0]) }), { batched: ["x"] }),
  Case.make("sum of NaN and infinities", { x: broken }, ({ x }) => ({ y: x.sum([1]) }), { smooth: false }),
  Case.make(
    "max of infinities",
    { x: { shape: [3, 3], data: broken.data.slice(3) } },
    ({ x }) => ({
      y: x.max([1]),
      all: x.max([0, 1])
    }),
    { smooth: false }
  ),
  Case.make("max of NaN", { x: broken }, ({ x }) => ({ y: x.max([1]) }), { smooth: false }),
  Case.make(
    "argMax takes the first of equal ones",
    { x: NdArray.make([2, 3], [1, 2, 2, 3, 3, 1]) },
    ({ x }) => ({
      y: x.argMax(1)
    }),
    { smooth: false }
  )
]

/** Cases of the reduction primitives. */
export const cases: ReadonlyArray<Case.Case> = [...shaped, ...indices, ...edges]
