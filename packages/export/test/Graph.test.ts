import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  Engine,
  Evaluation,
  Gradient,
  Loss,
  NdArray,
  Primitives,
  Program,
  Pseudorandom,
  ReferenceEngine,
  ShapeMismatch,
  Tensor
} from "@rai/core"
import { Effect } from "effect"
import * as Graph from "../src/Graph.ts"
import * as Head from "../src/Head.ts"
import * as Model from "../src/Model.ts"
import * as Onnxruntime from "../src/Onnxruntime.ts"
import * as Operators from "../src/Operators.ts"

type T = Tensor.Tensor

/** The law: |a − b| ≤ tolerance (1 + |b|), NaN equal to NaN, infinities by sign. */
const agree = (a: number, b: number, tolerance: number) =>
  Object.is(a, b) || a === b || Math.fround(b) === a || Math.abs(a - b) <= tolerance * (1 + Math.abs(b))

const onnxruntime = (program: Program.Program, inputs: Engine.Arrays, constants: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const fixed = Object.fromEntries(constants.map((name) => [name, inputs[name]!]))
    const free = Object.fromEntries(Object.entries(inputs).filter(([name]) => !constants.includes(name)))
    const graph = yield* Graph.fromProgram(program, fixed)
    return yield* Onnxruntime.run(Model.encode(graph, { version: "0", metadata: {} }), free)
  })

/** Compares onnxruntime, with each choice of constants, with plain float64 loops. */
const check = (
  signature: Program.Signature,
  inputs: Engine.Arrays,
  formula: (given: Readonly<Record<string, T>>) => Program.Program["outputs"],
  constants: ReadonlyArray<ReadonlyArray<string>> = [[]]
) =>
  Effect.gen(function* () {
    const program = yield* Program.make(signature, formula)
    const expected = yield* Effect.provide(Engine.run(program, inputs), ReferenceEngine.layer)
    const tolerance = Math.max(...program.nodes.map(({ primitive }) => primitive.tolerance))
    for (const fixed of constants) {
      const came = yield* onnxruntime(program, inputs, fixed)
      for (const [name, { data, shape }] of Object.entries(expected)) {
        assert.deepStrictEqual(came[name]?.shape, shape)
        data.forEach((b, i) => {
          const a = came[name]!.data[i]!
          assert.isTrue(agree(a, b, tolerance), `${name}[${i}]: onnxruntime ${a}, reference ${b}`)
        })
      }
    }
  })

const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1, 0.3, -2.5, 90, -110, 1e4]
const one = NdArray.make([12], special)
const left = NdArray.make(
  [12, 12],
  special.flatMap((x) => special.map(() => x))
)
const right = NdArray.make(
  [12, 12],
  special.flatMap(() => special)
)

const random = (seed: number, ...shape: ReadonlyArray<number>) => {
  const { uniform } = Pseudorandom.make(seed)
  return NdArray.make(
    shape,
    Array.from({ length: NdArray.size(shape) }, () => uniform(-2, 2))
  )
}

const unary = (f: (x: T) => T) => check({ x: [12] }, { x: one }, ({ x }) => ({ y: f(x!) }), [[], ["x"]])
const binary = (f: (a: T, b: T) => T) =>
  check({ a: ["n", 12], b: ["n", 12] }, { a: left, b: right }, ({ a, b }) => ({ y: f(a!, b!) }), [[], ["b"]])

const cases: Readonly<Record<string, ReadonlyArray<Effect.Effect<void, unknown>>>> = {
  neg: [unary((x) => x.neg())],
  abs: [unary((x) => x.abs())],
  sign: [unary((x) => x.sign())],
  square: [unary((x) => x.square())],
  sqrt: [unary((x) => x.sqrt())],
  exp: [unary((x) => x.exp())],
  log: [unary((x) => x.log())],
  sigmoid: [unary((x) => x.sigmoid())],
  tanh: [unary((x) => x.tanh())],
  relu: [unary((x) => x.relu())],
  softplus: [unary((x) => x.softplus())],
  elu: [unary((x) => x.elu())],
  erf: [unary((x) => x.erf())],
  clip: [unary((x) => x.clip(-0.5, 0.75))],
  add: [binary((a, b) => a.add(b)), unary((x) => x.add(0.1))],
  sub: [binary((a, b) => a.sub(b))],
  mul: [binary((a, b) => a.mul(b)), unary((x) => x.mul(0.1))],
  div: [binary((a, b) => a.div(b))],
  maximum: [binary((a, b) => a.maximum(b))],
  minimum: [binary((a, b) => a.minimum(b))],
  greater: [binary((a, b) => a.greater(b))],
  equal: [binary((a, b) => a.equal(b))],
  where: [binary((a, b) => a.greater(b).where(a, b)), binary((a, b) => a.equal(b).where(a, Tensor.constant(7)))],
  cast: [binary((a, b) => a.greater(b).float())],
  sum: [
    unary((x) => x.sum([0])),
    check({ x: ["batch", 3, 4] }, { x: random(1, 2, 3, 4) }, ({ x }) => ({ y: x!.sum([1]), z: x!.sum([0, 2]) }))
  ],
  max: [
    check({ a: [12, 12] }, { a: left }, ({ a }) => ({ y: a!.max([0]) })),
    check({ x: ["batch", 3, 4] }, { x: random(2, 2, 3, 4) }, ({ x }) => ({ y: x!.max([1]), z: x!.max([0, 2]) }))
  ],
  argMax: [
    check({ a: [12, 12] }, { a: left }, ({ a }) => ({ y: a!.argMax(0) })),
    check({ x: ["batch", 5] }, { x: random(3, 4, 5) }, ({ x }) => ({ y: x!.argMax(1) }))
  ],
  oneHot: [
    check({ x: ["batch", 3] }, { x: NdArray.make([2, 3], [0, 2, 5, 1, -1, 0.5]) }, ({ x }) => ({ y: x!.oneHot(4) })),
    check({ x: [2] }, { x: NdArray.make([2], [1, 0]) }, ({ x }) => ({ y: x!.oneHot(2) }))
  ],
  reshape: [
    check({ x: ["batch", 6] }, { x: random(4, 4, 6) }, ({ x }) => ({ y: x!.reshape(["batch", 2, 3]) })),
    check({ x: ["n", "m", 6] }, { x: random(4, 2, 3, 6) }, ({ x }) => ({ y: x!.reshape(["m", 3, "n", 2]) }))
  ],
  transpose: [check({ x: ["batch", 2, 3] }, { x: random(5, 4, 2, 3) }, ({ x }) => ({ y: x!.transpose([2, 0, 1]) }))],
  broadcast: [
    check(
      { x: ["batch", 2], b: [2] },
      { x: random(6, 3, 2), b: random(7, 2) },
      ({ b, x }) => ({
        y: b!.broadcastTo(x!.shape),
        z: x!.reshape(["batch", 1, 2]).broadcastTo(["batch", 4, 2]).exp()
      }),
      [[], ["b"]]
    )
  ],
  concat: [
    check(
      { x: ["batch", 2], b: [2] },
      { x: random(8, 3, 2), b: random(9, 2) },
      ({ b, x }) => ({
        y: Tensor.concat([x!, b!.broadcastTo(x!.shape), x!], 1),
        z: Tensor.stack([b!, b!.zerosLike()])
      }),
      [[], ["b"]]
    )
  ],
  slice: [
    check({ x: ["batch", 2, 5] }, { x: random(10, 3, 2, 5) }, ({ x }) => ({ y: x!.slice(2, 1, 4) })),
    check({ w: [4, 2, 5] }, { w: random(11, 4, 2, 5) }, ({ w }) => ({ y: w!.slice(0, 1, 3), z: w!.at(1, 1) }), [
      [],
      ["w"]
    ])
  ],
  pad: [
    check({ x: ["batch", 3] }, { x: random(12, 2, 3) }, ({ x }) => ({ y: x!.pad(1, 2, 1) })),
    // Between two transpositions, where onnxruntime moves it before the first.
    check({ x: ["batch", 2, 3] }, { x: random(12, 2, 2, 3) }, ({ x }) => ({
      y: x!.transpose([0, 2, 1]).pad(2, 1, 1).transpose([0, 2, 1])
    }))
  ],
  matMul: [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) =>
      check(
        {
          a: transposeA ? [4, 3] : [3, 4],
          b: transposeB ? [5, 4] : [4, 5],
          c: [2, 3, 4],
          d: [2, 3, 4],
          e: [5],
          f: [3, 5]
        },
        {
          a: transposeA ? random(13, 4, 3) : random(13, 3, 4),
          b: transposeB ? random(14, 5, 4) : random(14, 4, 5),
          c: random(15, 2, 3, 4),
          d: random(16, 2, 3, 4),
          e: random(17, 5),
          f: random(18, 3, 5)
        },
        ({ a, b, c, d, e, f }) => ({
          plain: a!.matMul(b!, { transposeA, transposeB }),
          affine: a!.matMul(b!, { transposeA, transposeB }).add(e!).tanh(),
          full: f!.add(a!.matMul(b!, { transposeA, transposeB })),
          batched: c!.matMul(d!.transpose([0, 2, 1])),
          left: c!.matMul(d!, { transposeA: true }),
          right: c!.matMul(d!, { transposeB: true })
        }),
        [[], ["b", "e"], ["a", "b", "d"]]
      )
    )
  ),
  softmax: [
    check({ x: ["batch", 3] }, { x: NdArray.make([4, 3], special) }, ({ x }) => ({
      y: new Tensor.Tensor(Head.softmax, [x!])
    })),
    check({ x: ["batch", 5] }, { x: random(19, 4, 5) }, ({ x }) => ({ y: new Tensor.Tensor(Head.softmax, [x!]) }))
  ],
  leakyRelu: [unary((x) => x.leakyRelu(0.1)), unary((x) => x.leakyRelu(2.5))],
  sigmoidGradient: [binary((g, y) => g.sigmoidGradient(y))],
  tanhGradient: [binary((g, y) => g.tanhGradient(y))],
  eluGradient: [binary((g, y) => g.eluGradient(y))],
  reluGradient: [binary((g, y) => g.reluGradient(y))]
}

describe("Graph.fromProgram", () => {
  const leaves = new Set(["input", "constant"])

  it("has a row for every primitive of the table, and a case here for each", () => {
    const primitives = [...Primitives.table.values()].filter(({ name }) => !leaves.has(name))
    const expected = primitives.filter(({ definition }) => definition === undefined).map(({ name }) => name)
    assert.sameMembers([...Operators.table.keys()], [...expected, "softmax"])
    assert.sameMembers(Object.keys(cases), [...primitives.map(({ name }) => name), "softmax"])
  })

  for (const [name, checks] of Object.entries(cases)) {
    it.effect(`${name}: onnxruntime answers as float64 loops do`, () => Effect.all(checks, { discard: true }))
  }

  it.effect("outputs that are an input, a constant, or one value under two names", () =>
    check(
      { x: ["batch", 2], b: [2] },
      { x: random(1, 3, 2), b: random(2, 2) },
      ({ b, x }) => {
        const y = x!.exp()
        return { x2: x!, b2: b!, y, again: y, next: y.neg() }
      },
      [[], ["b"]]
    )
  )

  it.effect("writes no broadcast that an operator does by itself", () =>
    Effect.gen(function* () {
      const program = yield* Program.make({ x: ["batch", 3], w: [3, 2], b: [2] }, ({ b, w, x }) => ({
        y: x!.matMul(w!).add(b!).mul(0.5)
      }))
      const graph = yield* Graph.fromProgram(program, { w: random(1, 3, 2), b: random(2, 2) })
      assert.deepStrictEqual(
        graph.node.map(({ opType }) => opType),
        ["Gemm", "Mul"]
      )
      assert.deepStrictEqual(
        graph.initializer.map(({ name }) => name),
        ["w", "b", "0.5"]
      )
    })
  )

  it.effect("the gradients of a deep circuit's loss, as a training step needs them", () =>
    Effect.gen(function* () {
      const circuit = Circuit.perceptron([2, 5, 5, 5, 5, 1], { activation: "tanh" })
      const shapes: Readonly<Record<string, ReadonlyArray<number>>> = {
        ...Object.fromEntries(Object.entries(Circuit.parameters(circuit)).map(([name, { shape }]) => [name, shape])),
        x: [7, 2],
        y: [7, 1]
      }
      const loss = yield* Program.make(shapes, (given) => ({
        loss: Loss.binaryCrossEntropy(
          Evaluation.evaluate(circuit, (name) => given[name]!, given.x!),
          given.y!
        )
      }))
      const program = yield* Gradient.make({ of: "loss", inputs: Object.keys(Circuit.parameters(circuit)) })(loss)
      const inputs = Object.fromEntries(
        Object.entries(shapes).map(([name, shape], seed) => [name, random(seed, ...shape)])
      )
      const expected = yield* Effect.provide(Engine.run(program, inputs), ReferenceEngine.layer)
      const came = yield* onnxruntime(program, inputs)
      assert.strictEqual(Object.keys(came).length, 7)
      for (const [name, { data }] of Object.entries(expected)) {
        data.forEach((b, i) => {
          assert.isTrue(agree(came[name]!.data[i]!, b, 1e-5), name)
        })
      }
    })
  )

  it.effect("names the primitive that it does not know", () =>
    Effect.gen(function* () {
      const sine = { ...Primitives.table.get("tanh")!, name: "sine" }
      const x = Tensor.input("x", [2])
      const program = Program.fromTensors({ x }, { y: new Tensor.Tensor(sine, [x]) })
      const error = yield* Effect.flip(Graph.fromProgram(program))
      assert.strictEqual(error._tag, "OperatorUnsupported")
      assert.match(error.message, /^expected primitives that ONNX export knows \(neg, .*\), but «sine» came; /)
      assert.notInclude(error.message, "\n")
    })
  )

  it.effect("a shape that does not fit never reaches the graph", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Program.make({ x: [2, 3] }, ({ x }) => ({ y: x!.matMul(x!) })))
      assert.instanceOf(error, ShapeMismatch)
    })
  )
})
