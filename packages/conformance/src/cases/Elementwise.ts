/**
 * Elementwise primitives over ranks 0 … 4, broadcasting pairs, a named batch, and non-finite numbers.
 */
import { NdArray, Primitives, Tensor } from "@rai/core"
import * as Case from "../Case.ts"
import * as Numbers from "../Numbers.ts"

type Unary = (x: Tensor.Tensor) => Tensor.Tensor
type Binary = (a: Tensor.Tensor, b: Tensor.Tensor) => Tensor.Tensor

const unary: ReadonlyArray<readonly [string, Unary, Numbers.Domain?]> = [
  ["neg", (x) => x.neg()],
  ["abs", (x) => x.abs()],
  ["sign", (x) => x.sign()],
  ["square", (x) => x.square()],
  ["sqrt", (x) => x.sqrt(), Numbers.positive],
  ["exp", (x) => x.exp()],
  ["log", (x) => x.log(), Numbers.positive],
  ["sigmoid", (x) => x.sigmoid()],
  ["tanh", (x) => x.tanh()],
  ["relu", (x) => x.relu()],
  ["softplus", (x) => x.softplus()],
  ["elu", (x) => x.elu()],
  ["leakyRelu", (x) => x.leakyRelu(0.1)],
  ["erf", (x) => x.erf()],
  ["clip", (x) => x.clip(-1, 1.5)],
  ["clip on one side each", (x) => x.clip(0, Infinity).add(x.clip(-Infinity, 1).mul(2))]
]

const binary: ReadonlyArray<readonly [string, Binary, Numbers.Domain?]> = [
  ["add", (a, b) => a.add(b)],
  ["sub", (a, b) => a.sub(b)],
  ["mul", (a, b) => a.mul(b)],
  ["div", (a, b) => a.div(b), Numbers.positive],
  ["maximum", (a, b) => a.maximum(b)],
  ["minimum", (a, b) => a.minimum(b)],
  ["greater", (a, b) => a.greater(b)],
  ["equal", (a, b) => a.equal(b)]
]

const special = NdArray.make([Numbers.special.length], Numbers.special)

const unaryCases = unary.flatMap(([name, f, domain], row) => [
  ...Numbers.shapes(row).map((shape, i) =>
    Case.make(`${name} of [${shape}]`, { x: Numbers.array(shape, 10 * row + i, domain && { domain }) }, ({ x }) => ({
      y: f(x)
    }))
  ),
  Case.make(`${name} of a batch`, { x: Numbers.array([5, 3], row, domain && { domain }) }, ({ x }) => ({ y: f(x) }), {
    batched: ["x"]
  }),
  Case.make(`${name} of NaN, infinities and zeros`, { x: special }, ({ x }) => ({ y: f(x) }), { smooth: false })
])

const binaryCases = binary.flatMap(([name, f, domain = Numbers.signed], row) => {
  const arrays = (a: ReadonlyArray<number>, b: ReadonlyArray<number>, seed: number) => ({
    a: Numbers.array(a, seed, { domain, turn: 1 }),
    b: Numbers.array(b, seed + 1, { domain, turn: 2 })
  })
  return [
    ...Numbers.pairs.map(([a, b], i) =>
      Case.make(`${name} of [${a}] and [${b}]`, arrays(a, b, 100 * row + 2 * i), (given) => ({
        y: f(given.a, given.b)
      }))
    ),
    Case.make(`${name} of a batch and a row`, arrays([4, 3], [3], row), ({ a, b }) => ({ y: f(a, b) }), {
      batched: ["a"]
    }),
    Case.make(`${name} of a tensor and a number, both ways`, arrays([2, 3], [], row), ({ a }) => ({
      right: f(a, Tensor.constant(1.5)),
      left: f(Tensor.constant(1.5), a)
    })),
    Case.make(`${name} of a tensor with itself`, arrays([2, 3], [], row), ({ a }) => ({ y: f(a, a) })),
    Case.make(
      `${name} of every pair of NaN, infinities and zeros`,
      { a: { ...special, shape: [special.shape[0]!, 1] }, b: special },
      ({ a, b }) => ({ y: f(a, b) }),
      { smooth: false }
    )
  ]
})

const whereCases = Numbers.pairs.map(([a, b], i) =>
  Case.make(
    `where, [${a}] or [${b}]`,
    { c: Numbers.array(b, i, { turn: 3 }), a: Numbers.array(a, i + 50), b: Numbers.array(b, i + 90, { turn: 2 }) },
    (given) => ({ y: given.c.greater(0).where(given.a, given.b) })
  )
)

const typeCases = [
  Case.make(
    "where keeps NaN and infinities out of the side not chosen",
    { x: special },
    ({ x }) => ({
      y: x.greater(0).where(x, x.zerosLike())
    }),
    { smooth: false }
  ),
  Case.make(
    "where by a condition that is given",
    {
      c: { shape: [3], data: Uint8Array.of(1, 0, 1) },
      a: Numbers.array([2, 3], 1),
      b: Numbers.array([2, 3], 2)
    },
    ({ a, b, c }) => ({ y: c.where(a, b) })
  ),
  Case.make("cast of conditions", { x: Numbers.array([2, 3], 3) }, ({ x }) => ({ y: x.greater(0).float() })),
  Case.make(
    "cast of indices",
    { x: Numbers.distinct([2, 3], 4), k: { shape: [2, 1], data: Int32Array.of(0, 2) } },
    ({ k, x }) => ({ y: x.argMax(1).float(), same: x.argMax(1).equal(k).float() })
  ),
  Case.make(
    "cast to whole numbers, towards zero",
    { x: NdArray.make([8], [-2.9, -2, -0.5, 0, 0.5, 0.99, 1, 70_000.5]) },
    ({ x }) => ({ y: new Tensor.Tensor(Primitives.table.get("cast")!, [x], { to: "int" }).float() }),
    { smooth: false }
  )
]

/** Cases of the elementwise primitives. */
export const cases: ReadonlyArray<Case.Case> = [...unaryCases, ...binaryCases, ...whereCases, ...typeCases]
