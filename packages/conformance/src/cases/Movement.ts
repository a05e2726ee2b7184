/**
 * Every primitive that moves numbers, along every axis.
 */
import { NdArray, Tensor } from "@rai/core"
import * as Case from "../Case.ts"
import * as Numbers from "../Numbers.ts"

const shapes = [[4], [3, 4], [2, 3, 4], [2, 1, 3, 4]]

const along = shapes.flatMap((shape, i) =>
  shape.flatMap((length, axis) => {
    const x = Numbers.array(shape, 10 * i + axis)
    const other = Numbers.array(shape.with(axis, 2), 10 * i + axis + 5, { turn: 2 })
    const where = `[${shape}] along axis ${axis}`
    return [
      Case.make(`concat of ${where}`, { x, other }, (given) => ({
        y: Tensor.concat([given.x, given.other, given.x], axis)
      })),
      Case.make(`pad of ${where}`, { x }, (given) => ({
        both: given.x.pad(axis, 1, 2),
        before: given.x.pad(axis, 2, 0),
        after: given.x.pad(axis, 0, 1)
      })),
      Case.make(`slice of ${where}`, { x }, (given) => ({
        first: given.x.slice(axis, 0, 1),
        last: given.x.slice(axis, length - 1, length),
        inner: given.x.pad(axis, 1, 1).slice(axis, 1, length + 1),
        at: given.x.at(axis, length - 1)
      }))
    ]
  })
)

const permutations: ReadonlyArray<readonly [ReadonlyArray<number>, ReadonlyArray<number>]> = [
  [[4], [0]],
  [
    [2, 3],
    [1, 0]
  ],
  [
    [2, 3],
    [0, 1]
  ],
  [
    [2, 3, 4],
    [2, 0, 1]
  ],
  [
    [2, 3, 4],
    [0, 2, 1]
  ],
  [
    [2, 3, 1, 4],
    [3, 1, 0, 2]
  ]
]

const permuted = permutations.map(([shape, permutation]) =>
  Case.make(`transpose of [${shape}] to axes ${permutation.join(", ")}`, { x: Numbers.array(shape, 3) }, ({ x }) => ({
    y: x.transpose(permutation)
  }))
)

const reshapes: ReadonlyArray<readonly [ReadonlyArray<number>, ReadonlyArray<number>]> = [
  [[], [1]],
  [[1, 1], []],
  [[6], [2, 3]],
  [
    [2, 3],
    [3, 2]
  ],
  [[2, 3, 2], [12]],
  [
    [4, 3],
    [2, 1, 2, 3]
  ]
]

const reshaped = reshapes.map(([from, to]) =>
  Case.make(`reshape of [${from}] to [${to}]`, { x: Numbers.array(from, 4) }, ({ x }) => ({ y: x.reshape(to) }))
)

const broadcasts = Numbers.pairs
  .map(([a, b]) => [b, a] as const)
  .filter(([, to]) => to.length > 0)
  .concat([
    [[], [2, 2, 2]],
    [[3], [4, 2, 3]],
    [
      [2, 1],
      [3, 2, 4]
    ]
  ])
  .flatMap(([from, to], i) => {
    const fits = from.length <= to.length && from.every((n, k) => n === 1 || n === to[k + to.length - from.length])
    return fits
      ? [
          Case.make(`broadcast of [${from}] to [${to}]`, { x: Numbers.array(from, i) }, ({ x }) => ({
            y: x.broadcastTo(to)
          }))
        ]
      : []
  })

const edges = [
  Case.make("movement of conditions and indices", { x: Numbers.distinct([2, 3], 8) }, ({ x }) => ({
    condition: x.greater(0).transpose([1, 0]).reshape([6]),
    index: x.argMax(1).reshape([2]).broadcastTo([3, 2]).slice(0, 1, 3)
  })),
  Case.make(
    "movement of NaN and infinities",
    { x: NdArray.make([2, 2], [Number.NaN, Infinity, -Infinity, -0]) },
    ({ x }) => ({
      y: Tensor.concat([x.transpose([1, 0]), x.pad(0, 1, 0)], 0)
        .slice(1, 0, 1)
        .broadcastTo([5, 2])
    }),
    { smooth: false }
  ),
  Case.make(
    "movement of a batch",
    { x: Numbers.array([5, 4], 9) },
    ({ x }) => ({
      y: Tensor.concat([x.slice(1, 1, 3), x.pad(1, 1, 0)], 1)
        .reshape(["batch", 7, 1])
        .transpose([1, 0, 2])
    }),
    { batched: ["x"] }
  ),
  Case.make("stack of equal shapes", { a: Numbers.array([2, 3], 1), b: Numbers.array([2, 3], 2) }, ({ a, b }) => ({
    y: Tensor.stack([a, b, a])
  }))
]

/** Cases of the movement primitives. */
export const cases: ReadonlyArray<Case.Case> = [...along, ...permuted, ...reshaped, ...broadcasts, ...edges]
