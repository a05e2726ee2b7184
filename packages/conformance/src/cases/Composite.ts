/**
 * Composites, and formulas of several primitives that exercise an engine's freeing, sharing and reordering.
 */
import { NdArray, Tensor } from "@rai/core"
import * as Case from "../Case.ts"
import * as Numbers from "../Numbers.ts"

type Binary = (g: Tensor.Tensor, y: Tensor.Tensor) => Tensor.Tensor

const composites: ReadonlyArray<readonly [string, Binary, Numbers.Domain]> = [
  ["sigmoidGradient", (g, y) => g.sigmoidGradient(y), [0.1, 0.9]],
  ["tanhGradient", (g, y) => g.tanhGradient(y), [-0.9, 0.9]],
  ["eluGradient", (g, y) => g.eluGradient(y), [-0.9, 3]],
  ["reluGradient", (g, y) => g.reluGradient(y), Numbers.signed]
]

const special = NdArray.make([Numbers.special.length], Numbers.special)

const gradients = composites.flatMap(([name, f, domain], row) => [
  ...Numbers.shapes(30 + row).map((shape, i) =>
    Case.make(
      `${name} of [${shape}]`,
      { g: Numbers.array(shape, 10 * row + i), y: Numbers.array(shape, 10 * row + i + 5, { domain, turn: 2 }) },
      ({ g, y }) => ({ x: f(g, y) })
    )
  ),
  Case.make(`${name} of a value with itself`, { y: Numbers.array([2, 3], row, { domain }) }, ({ y }) => ({
    x: f(y, y)
  })),
  Case.make(
    `${name} of NaN and infinities`,
    { g: special, y: NdArray.full([special.shape[0]!], 0.5) },
    ({ g, y }) => ({ x: f(g, y) }),
    { smooth: false }
  )
])

const a = Numbers.array([2, 3], 60)
const b = Numbers.array([3], 61, { turn: 2 })

const formulas = [
  Case.make("one number filling a shape, as two outputs", { a }, (given) => ({
    filled: Tensor.constant(2.5).broadcastTo([2, 3]),
    scalar: Tensor.constant(-1),
    sum: given.a.add(Tensor.constant(2.5).broadcastTo([2, 3]))
  })),
  Case.make(
    "numbers that are not finite",
    { a },
    (given) => ({
      nan: given.a.mul(Tensor.constant(Number.NaN)),
      plus: given.a.sub(Number.POSITIVE_INFINITY).neg(),
      minus: given.a.add(Number.NEGATIVE_INFINITY)
    }),
    { smooth: false }
  ),
  Case.make("an input as an output, twice", { a, b }, (given) => ({
    one: given.a,
    two: given.a,
    y: given.a.mul(given.b)
  })),
  Case.make("one value as two outputs", { a }, (given) => {
    const y = given.a.tanh()
    return { one: y, two: y, three: y.square() }
  }),
  Case.make("equal values built twice", { a, b }, (given) => ({
    y: given.a.mul(given.b).tanh().add(given.a.mul(given.b).tanh())
  })),
  Case.make("neutral operations", { a }, (given) => ({
    y: given.a.mul(1).add(0).sub(0).div(1).neg().neg().reshape([6]).reshape([3, 2]),
    z: Tensor.constant(0).broadcastTo([2, 3]).add(given.a).mul(Tensor.constant(1))
  })),
  Case.make("factors that meet", { a, b }, (given) => ({
    y: given.a.mul(2).neg().mul(0.25).mul(given.b.mul(3)),
    z: Tensor.constant(-1).broadcastTo([2, 3]).mul(given.a.neg().neg().mul(-1))
  })),
  Case.make("a broadcast value used whole and narrow", { a, b }, (given) => {
    const wide = given.b.broadcastTo([2, 3])
    return { y: wide.mul(given.a).add(wide.transpose([1, 0]).transpose([1, 0])), wide }
  }),
  Case.make("two broadcast operands of one shape", { b }, (given) => ({
    y: given.b.broadcastTo([2, 3]).mul(given.b.broadcastTo([2, 3]))
  })),
  Case.make(
    "a linear map and its softmax",
    { x: Numbers.array([4, 2], 62), w: a, b },
    ({ b, w, x }) => {
      const o = x.matMul(w).add(b)
      const e = o.sub(o.max([1])).exp()
      return { y: e.div(e.sum([1])) }
    },
    { batched: ["x"] }
  )
]

/** Cases of composites and of whole formulas. */
export const cases: ReadonlyArray<Case.Case> = [...gradients, ...formulas]
