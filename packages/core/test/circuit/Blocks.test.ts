import { assert, describe, it } from "@effect/vitest"
import {
  type Block,
  Circuit,
  CircuitSpec,
  Cut,
  Engine,
  Evaluation,
  FreeRun,
  Gradient,
  type NdArray,
  Program,
  ReferenceEngine,
  type Shape,
  type Tensor
} from "@rai/core"
import { Effect, Exit } from "effect"
import * as Fixture from "../fixtures/Fixture.ts"

interface Numbers {
  readonly x: NdArray.NdArray
  readonly y: NdArray.NdArray
  readonly weighting: NdArray.NdArray
  readonly parameters: Readonly<Record<string, NdArray.NdArray>>
  readonly gradients: Readonly<Record<string, NdArray.NdArray>>
}

interface Row extends Numbers {
  readonly kind: string
  readonly settings: Readonly<Record<string, number>>
}

/** Written by blocks.py: PyTorch in float64. */
const { blocks, composed, training } = Fixture.read<{
  readonly blocks: ReadonlyArray<Row>
  readonly composed: ReadonlyArray<Numbers & { readonly circuit: Parameters<typeof CircuitSpec.fromJson>[0] }>
  readonly training: ReadonlyArray<Row>
}>("blocks.json")

const float64 = ({ data, shape }: NdArray.NdArray): NdArray.NdArray => ({ shape, data: Float64Array.from(data) })

const arrays = (of: Readonly<Record<string, NdArray.NdArray>>) =>
  Object.fromEntries(Object.entries(of).map(([name, array]) => [name, float64(array)]))

/** Compares a circuit's output and gradients with the recorded ones; `training` evaluates it as in a training step. */
const same = Effect.fnUntraced(function* (
  circuit: Parameters<typeof CircuitSpec.fromJson>[0],
  { gradients, parameters, weighting, x, y }: Numbers,
  training?: Cut.Training
) {
  const block = yield* CircuitSpec.fromJson(circuit)
  const given = arrays({ x, weighting, ...parameters })
  const shapes = Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape]))
  const own = Circuit.parameters(block)
  assert.sameMembers(Object.keys(parameters), Object.keys(own))
  for (const [name, { shape }] of Object.entries(parameters)) assert.deepStrictEqual(own[name]!.shape, shape, name)
  const program = yield* Program.make(shapes, (of) => {
    const output = Evaluation.evaluate(block, (name) => of[name]!, of.x!, { ...Cut.none, training })
    return { output, loss: output.mul(of.weighting!).total() }
  })
  const derived = yield* Gradient.make({ of: "loss", inputs: ["x", ...Object.keys(parameters)] })(program)
  const came = yield* Engine.run(derived, given)
  Fixture.near(came.output!, float64(y), 1e-12, "y")
  for (const [name, gradient] of Object.entries(gradients)) {
    Fixture.near(came[`gradient/${name}`]!, float64(gradient), 1e-9, `∂/∂${name}`)
  }
})

describe("each block is PyTorch's, with its gradients", () => {
  for (const row of blocks) {
    it.effect(`${row.kind} ${JSON.stringify(row.settings)} of [${row.x.shape}]`, () =>
      Effect.provide(same(row, row), ReferenceEngine.layer)
    )
  }
})

describe("each composition is PyTorch's, with its gradients", () => {
  for (const { circuit, ...numbers } of composed) {
    it.effect(JSON.stringify(circuit), () => Effect.provide(same(circuit, numbers), ReferenceEngine.layer))
  }
})

it("every kind of block is held to PyTorch, activation functions in a test of their own", () => {
  const kinds = composed.flatMap(({ circuit }) => ("kind" in circuit ? [circuit.kind] : []))
  const held = [...blocks.map(({ kind }) => kind), ...kinds, ...Object.keys(Circuit.activations)]
  assert.sameMembers([...new Set(held)], [...CircuitSpec.kinds])
})

describe("what passes numbers on answers 2 x + 1 with 2 y + 1, and nothing else does", () => {
  for (const { kind, parameters, settings, x, y } of blocks) {
    it.effect(`${kind} ${JSON.stringify(settings)} of [${x.shape}]`, () =>
      Effect.gen(function* () {
        const block = (yield* CircuitSpec.fromJson({ kind, settings })) as Block.Block
        const given = arrays({ x, ...parameters })
        const shapes = Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape]))
        const program = yield* Program.make(shapes, (of) => ({ came: block.apply(of.x!.mul(2).add(1), of) }))
        const { came } = yield* Engine.run(program, given)
        const isPassing = Array.from(y.data).every((number, i) => Math.abs(came!.data[i]! - (2 * number + 1)) < 1e-9)
        assert.strictEqual(block.isPassing === true, isPassing)
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})

describe("in a step of training", () => {
  for (const row of training) {
    it.effect(`${row.kind} of [${row.x.shape}] is PyTorch's, with its gradients`, () =>
      Effect.provide(same(row, row, { random: true, onStatistic: () => undefined }), ReferenceEngine.layer)
    )
  }
})

it.effect(
  "a stage of one's own that computes with truth values, whole numbers or lengths not known yet is told so",
  () =>
    Effect.gen(function* () {
      const stages: ReadonlyArray<readonly [(z: Tensor.Tensor) => Tensor.Tensor, string]> = [
        [
          (z) => z.mul(z.greater(0)),
          "mul in block 1: expected real numbers, but truth values came; end it in .float()"
        ],
        [
          (z) => z.argMax(1).oneHot(3).reshape([1, 3]),
          "oneHot in block 1: expected real numbers, but whole numbers came; end it in .float()"
        ],
        [
          (z) => z.where(z, z.neg()),
          "where in block 1: expected truth values, but real numbers came; compare, as in x.greater(0)"
        ],
        [
          (z) => z.sub(z.sum([0]).div(Number(z.shape[0]))),
          "div in block 1: expected a number, but NaN came; a named axis has no length yet: count it, as in z.zerosLike().add(1).sum([0])"
        ]
      ]
      for (const [stage, message] of stages) {
        const circuit = Circuit.sequence(Circuit.linear(2, 3), Circuit.stage("own", stage), Circuit.linear(3, 1))
        assert.strictEqual((yield* Effect.flip(FreeRun.program(circuit))).message, message)
      }
    })
)

it.effect("a stage of one's own that gives truth values is told so", () =>
  Effect.gen(function* () {
    const above = Circuit.stage("above", (z) => z.greater(0))
    const circuit = Circuit.sequence(Circuit.linear(2, 4), above, Circuit.linear(4, 1))
    const { message } = yield* Effect.flip(FreeRun.program(circuit))
    assert.strictEqual(
      message,
      "above in block 1: expected it to give numbers that have gradients, but truth values came; end the formula with .float()"
    )
  })
)

describe("blocks that do not fit", () => {
  const run = (circuit: Circuit.Circuit, ...shape: ReadonlyArray<number>) => {
    const inputs: Readonly<Record<string, Shape.Shape>> = { ...Circuit.signature(circuit), x: shape }
    return Program.make(inputs, (of) => ({ y: Evaluation.evaluate(circuit, (name) => of[name]!, of.x!) }))
  }
  const images = (...blocks: ReadonlyArray<Circuit.Circuit>) =>
    Circuit.sequence(Circuit.unflatten({ channels: 2, height: 4, width: 3 }), ...blocks)

  it.effect.each([
    [
      "a window larger than its image",
      images(Circuit.conv2d({ channels: 2, filters: 1, kernel: 4 })),
      "conv2d in block 1: expected [batch, 2, 4 or more, 4 or more], but [5,2,4,3] came"
    ],
    [
      "even with its padding",
      images(Circuit.conv2d({ channels: 2, filters: 1, kernel: 7, padding: 1 })),
      "conv2d in block 1: expected [batch, 2, 5 or more, 5 or more], but [5,2,4,3] came"
    ],
    [
      "a signal where an image is wanted",
      Circuit.sequence(Circuit.unflatten({ channels: 2, length: 12 }), Circuit.maxPool2d({ kernel: 2 })),
      "max-pool2d in block 1: expected [batch, channels, 2 or more, 2 or more], but [5,2,12] came"
    ],
    [
      "other channels",
      images(Circuit.conv2d({ channels: 3, filters: 1, kernel: 2 })),
      "conv2d in block 1: expected [batch, 3, 2 or more, 2 or more], but [5,2,4,3] came"
    ],
    [
      "rows that are no image",
      Circuit.sequence(Circuit.unflatten({ channels: 3, height: 3, width: 3 })),
      "unflatten in block 0: expected [batch, 27], but [5,24] came"
    ],
    ["other units", images(Circuit.layerNorm(4)), "layer-norm in block 1: expected [batch, …, 4], but [5,2,4,3] came"],
    [
      "a stage of one's own that is not as wide as it says",
      Circuit.sequence(Circuit.linear(24, 4), { ...Circuit.tanh, kind: "own", settings: { outputs: 3 } }),
      "own in block 1: expected it to give [5, 3], but [5,4] came"
    ],
    [
      "a stage of one's own that gives one answer for all examples",
      Circuit.sequence(
        Circuit.linear(24, 4),
        Circuit.stage("own", (z) => z.sum([0]))
      ),
      "own in block 1: expected it to give [5, …], but [1,4] came"
    ],
    [
      "branches that do not fit each other",
      images(Circuit.branch(Circuit.relu, Circuit.maxPool2d({ kernel: 2 }))),
      "concat along axis 1 in block 1: expected [5,2,4,3], but [5,2,2,1] came"
    ],
    [
      "columns that are not there",
      Circuit.columns({ inputs: 24, first: 20, count: 5 }),
      "columns: expected [batch, 25], but [5,24] came"
    ],
    [
      "categories in other columns",
      Circuit.embedding({ inputs: 3, categories: 4, units: 2 }),
      "embedding: expected [batch, 3], but [5,24] came"
    ],
    [
      "a product with a vector",
      Circuit.stage("own", (z) => z.matMul(z.at(0, 0))),
      "matMul: expected a right factor [24,…] for [5,24], but [24] came"
    ],
    [
      "no image at all",
      Circuit.globalAveragePool,
      "global-average-pool: expected [batch, channels, …], but [5,24] came"
    ]
  ] as const)("%s", ([, circuit, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(run(circuit, 5, 24))
      assert.strictEqual(error.message, `${message}; change the widths so that they fit`)
    })
  )

  it.effect.each([
    [
      "a rate that is none",
      Circuit.sequence(Circuit.linear(24, 4), Circuit.dropout(1.5)),
      "dropout in block 1: expected a rate from 0 to below 1, but 1.5 came; write for instance 0.5"
    ],
    [
      "no turns",
      Circuit.sequence(Circuit.linear(24, 4), Circuit.repeat(Circuit.linear(4, 4), 0)),
      "repeat in block 1: expected a whole number of turns from 1, but 0 came; repeat it once or more"
    ],
    [
      "a map of vectors of another length",
      Circuit.sequence(Circuit.embedding({ inputs: 24, categories: 3, units: 2 }), Circuit.linear(48, 1)),
      "linear in block 1: expected [batch, …, 48], but [5,24,2] came; put flatten before it, or change the widths so that they fit"
    ],
    [
      "no tensor",
      Circuit.sequence(
        Circuit.linear(24, 4),
        Circuit.stage("own", () => undefined as never)
      ),
      "own in block 1: expected it to give a tensor, but undefined came; return what its formula gives"
    ]
  ] as const)("%s, with what to do", ([, circuit, message]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(run(circuit, 5, 24))).message, message)
    })
  )

  it.effect("as text are named with settings that would do", () =>
    Effect.gen(function* () {
      const invalid = (kind: string, settings: Readonly<Record<string, number>>) =>
        Effect.map(Effect.flip(CircuitSpec.fromJson({ kind, settings })), ({ message }) => message)
      assert.strictEqual(
        yield* invalid("conv2d", { channels: 1, filters: 0.5, kernel: 3 }),
        'expected a conv2d block with whole numbers of channels, filters, kernel, stride, padding from 1 (padding from 0), but channels 1, filters 0.5, kernel 3, stride absent, padding absent came; write for instance {"kind":"conv2d","settings":{"channels":1,"filters":6,"kernel":3,"stride":1,"padding":1}}'
      )
      assert.strictEqual(
        yield* invalid("linear", { inputs: 2, outputs: 1, bias: 2 }),
        'expected a linear block with whole numbers of inputs, outputs from 1, bias 0 or 1, but inputs 2, outputs 1, bias 2 came; write for instance {"kind":"linear","settings":{"inputs":2,"outputs":8}}'
      )
      assert.match(yield* invalid("unflatten", { channels: 1, height: 2 }), /width absent came/)
      assert.match(yield* invalid("layer-norm", {}), /units absent came/)
      assert.isTrue(
        Exit.isSuccess(yield* Effect.exit(CircuitSpec.fromJson({ kind: "max-pool1d", settings: { kernel: 2 } })))
      )
    })
  )
})

it.effect("a circuit of all of them is there again from its JSON, and prints on one line", () =>
  Effect.gen(function* () {
    const circuit = Circuit.sequence(
      Circuit.unflatten({ channels: 1, height: 8, width: 8 }),
      Circuit.conv2d({ channels: 1, filters: 4, kernel: 3, padding: 1, bias: false }),
      Circuit.softsign,
      Circuit.maxPool2d({ kernel: 2 }),
      Circuit.flatten,
      Circuit.layerNorm(64),
      Circuit.linear(64, 10),
      Circuit.softmax
    )
    const again = yield* CircuitSpec.fromJson(JSON.parse(JSON.stringify(CircuitSpec.toJson(circuit))))
    assert.deepStrictEqual(CircuitSpec.toJson(again), CircuitSpec.toJson(circuit))
    assert.strictEqual(
      Circuit.print(again),
      "unflatten 64, conv2d 1→4 without bias, softsign, max-pool2d 2, flatten, layer-norm 64, linear 64→10, softmax"
    )
    assert.deepStrictEqual(Effect.runSync(FreeRun.widths(again)), { inputs: 64, outputs: 10 })
  })
)

it("a stage of one's own bears no block's name, as which it would be cut, started and loaded", () => {
  for (const name of ["relu", "residual"]) {
    assert.throws(
      () => Circuit.stage(name, (z) => z),
      `stage: expected a name that no block has, but «${name}» came; call it for instance own-${name}`
    )
  }
})
