/** The relaxed objective under many patterns of cuts, named by circuit and cut. */
import { type Block, Circuit, Cut } from "@rai/core"
import type { Case } from "../src/index.ts"
import * as CircuitCases from "./CircuitCases.ts"

type Row = readonly [name: string, settings: CircuitCases.Settings]

const deep = (activation: Circuit.Activation, hidden = 9) =>
  Circuit.perceptron([2, ...Array<number>(hidden).fill(3), 1], { activation })

const shallow = Circuit.perceptron([2, 3, 4, 2], { activation: "tanh" })

/** A repeated block of two linear maps, so that a single turn can be cut at several leaves. */
const twofold = Circuit.sequence(
  Circuit.linear(2, 3),
  Circuit.repeat(Circuit.sequence(Circuit.tanh, Circuit.linear(3, 4), Circuit.sigmoid, Circuit.linear(4, 3)), 5),
  Circuit.linear(3, 1)
)

/** A repeated user-defined stage: a formula that names axes, one that does not, and one with a parameter shared by all units. */
const own = (stage: Circuit.Circuit) =>
  Circuit.sequence(
    Circuit.linear(2, 3),
    Circuit.repeat(Circuit.sequence(stage, Circuit.linear(3, 3)), 5),
    Circuit.linear(3, 1)
  )

const centred = Circuit.stage("centred", (z) => z.sub(z.sum([1]).mul(1 / 3)))
const swish = Circuit.stage("swish", (z) => z.mul(z.sigmoid()))
const scaled: Block.Block = {
  _tag: "Block",
  kind: "scaled",
  settings: {},
  parameters: { factor: { shape: [], role: "weight", fanIn: 1, fanOut: 1 } },
  apply: (z, { factor }) => z.mul(factor!)
}

const around = (activation: Circuit.Activation, hidden = 9) =>
  Circuit.perceptron([2, ...Array<number>(hidden).fill(3), 1], { activation, residual: true })

/** Repeated blocks that combine a residual block with blocks before and after it, or nest one residual block in another. */
const behind = (...blocks: ReadonlyArray<Circuit.Circuit>) =>
  Circuit.sequence(Circuit.linear(2, 3), Circuit.repeat(Circuit.sequence(...blocks), 5), Circuit.linear(3, 1))
const inner = Circuit.residual(Circuit.sequence(Circuit.tanh, Circuit.linear(3, 3)))
const outer = Circuit.residual(Circuit.sequence(inner, Circuit.sigmoid, Circuit.linear(3, 3)))

const turns =
  (...cut: ReadonlyArray<number>): Cut.Cut["after"] =>
  ({ kind, path }) =>
    kind === "linear" && cut.some((turn) => path.startsWith(`1.${turn}.`))

const of = (circuit: Circuit.Circuit, cut: Partial<Cut.Cut>, rest: Partial<CircuitCases.Settings> = {}) => ({
  circuit,
  cut: { ...Cut.paper, ...cut },
  inputs: 2,
  outputs: 1,
  ...rest
})

const images = Circuit.sequence(
  Circuit.unflatten({ channels: 1, height: 4, width: 4 }),
  Circuit.conv2d({ channels: 1, filters: 2, kernel: 3, padding: 1 }),
  Circuit.tanh,
  Circuit.repeat(Circuit.sequence(Circuit.conv2d({ channels: 2, filters: 2, kernel: 3, padding: 1 }), Circuit.tanh), 3),
  Circuit.averagePool2d({ kernel: 2 }),
  Circuit.flatten,
  Circuit.linear(8, 1)
)

const signals = Circuit.sequence(
  Circuit.unflatten({ channels: 2, length: 6 }),
  Circuit.conv1d({ channels: 2, filters: 3, kernel: 3, stride: 2, padding: 1 }),
  Circuit.softsign,
  Circuit.averagePool1d({ kernel: 2, stride: 1 }),
  Circuit.globalAveragePool,
  Circuit.linear(3, 1)
)

/** As many positions as turns, two leading axes that a batched product could confuse. */
const places = Circuit.sequence(
  Circuit.unflatten({ channels: 4, length: 3 }),
  Circuit.linear(3, 3),
  Circuit.repeat(Circuit.sequence(Circuit.tanh, Circuit.linear(3, 3)), 4),
  Circuit.flatten,
  Circuit.linear(12, 1)
)

const normed = Circuit.sequence(
  Circuit.linear(2, 3),
  Circuit.repeat(Circuit.sequence(Circuit.layerNorm(3), Circuit.tanh, Circuit.linear(3, 3)), 5),
  Circuit.softmax,
  Circuit.linear(3, 1)
)

const beside = Circuit.branch(
  Circuit.sequence(Circuit.tanh, Circuit.linear(3, 2)),
  Circuit.sequence(Circuit.sigmoid, Circuit.linear(3, 1))
)
const twoHeads = Circuit.sequence(
  Circuit.linear(2, 3),
  Circuit.tanh,
  Circuit.branch(Circuit.linear(3, 1), Circuit.sequence(Circuit.linear(3, 2), Circuit.sigmoid, Circuit.linear(2, 1)))
)
const inception = Circuit.sequence(
  Circuit.unflatten({ channels: 1, height: 4, width: 4 }),
  Circuit.branch(
    Circuit.conv2d({ channels: 1, filters: 2, kernel: 3, padding: 1 }),
    Circuit.conv2d({ channels: 1, filters: 1, kernel: 1 })
  ),
  Circuit.tanh,
  Circuit.averagePool2d({ kernel: 2 }),
  Circuit.flatten,
  Circuit.linear(12, 1)
)
const table = Circuit.sequence(
  Circuit.branch(
    Circuit.columns({ inputs: 3, first: 0, count: 2 }),
    Circuit.sequence(
      Circuit.columns({ inputs: 3, first: 2, count: 1 }),
      Circuit.embedding({ inputs: 1, categories: 3, units: 2 }),
      Circuit.flatten
    )
  ),
  Circuit.linear(4, 3),
  Circuit.tanh,
  Circuit.linear(3, 1)
)
const batchNormed = Circuit.sequence(
  Circuit.linear(2, 3),
  Circuit.repeat(Circuit.sequence(Circuit.batchNorm(3), Circuit.tanh, Circuit.dropout(0.5), Circuit.linear(3, 3)), 5),
  Circuit.linear(3, 1)
)

const bare = Circuit.sequence(
  Circuit.linear(2, 3, { bias: false }),
  Circuit.repeat(Circuit.sequence(Circuit.tanh, Circuit.linear(3, 3, { bias: false })), 5),
  Circuit.linear(3, 1)
)

/** The patterns of cuts, each named for what it tests. */
export const rows: ReadonlyArray<Row> = [
  ["no repeats, every linear map", of(shallow, {}, { outputs: 2 })],
  ["no repeats, after the activations", of(shallow, { after: "activation" }, { outputs: 2 })],
  ["no repeats, the output too", of(shallow, { output: true }, { outputs: 2, batch: 1 })],
  ["repeat, every linear map", of(deep("tanh"), {})],
  ["repeat, every linear map, the output too", of(deep("sigmoid"), { output: true })],
  ["repeat, after the activations", of(deep("tanh"), { after: "activation" })],
  ["repeat, after the activations, the output too", of(deep("sigmoid"), { after: "activation", output: true })],
  ["repeat, every second, head shorter than the period", of(deep("tanh"), { every: 2 })],
  ["repeat, every third, a tail of turns", of(deep("sigmoid"), { every: 3 })],
  ["repeat, every fourth, after the activations", of(deep("tanh"), { after: "activation", every: 4 })],
  ["repeat, every fifth: one cut, nothing to stack", of(deep("tanh"), { every: 5 })],
  ["repeat, without biases", of(bare, { every: 2 })],
  ["repeat, head as long as the period", of(deep("tanh"), { after: turns(1, 3, 5) })],
  ["repeat, head longer than the period", of(deep("tanh"), { after: turns(3, 5, 7) })],
  ["repeat, head of no turns, a long tail", of(deep("tanh"), { after: turns(0, 2, 4) })],
  ["repeat, period one from the third turn", of(deep("sigmoid"), { after: turns(2, 3, 4) })],
  ["repeat, irregular cuts, turn by turn", of(deep("tanh"), { after: turns(0, 1, 4) })],
  ["repeat, two cuts far apart", of(deep("tanh"), { after: turns(0, 7) })],
  ["repeat of two maps, both cut", of(twofold, {})],
  ["repeat of two maps, every second map", of(twofold, { every: 2 })],
  ["repeat of two maps, every fourth map", of(twofold, { every: 4 })],
  [
    "repeat of two maps, the first of each",
    of(twofold, { after: ({ path }) => path.startsWith("1.") && path.endsWith(".1") })
  ],
  ["repeat of two maps, the activations", of(twofold, { after: "activation" })],
  ["convolutions of images, every map", of(images, {}, { inputs: 16 })],
  ["convolutions of images, every second map", of(images, { every: 2 }, { inputs: 16 })],
  ["convolutions of images, those alone", of(images, { after: "conv2d" }, { inputs: 16 })],
  ["maps at each of several places, every map", of(places, {}, { inputs: 12, batch: 4 })],
  ["convolutions of signals, every map", of(signals, {}, { inputs: 12 })],
  ["layer norms, repeated, every map", of(normed, {})],
  ["layer norms, repeated, behind each", of(normed, { after: "layer-norm" })],
  ["branches, repeated, every map", of(behind(beside), {})],
  ["branches, repeated, where they are joined", of(behind(beside), { after: "concat" })],
  ["branches, repeated, one of two, turn by turn", of(behind(beside), { after: ({ path }) => path.endsWith(".1.1") })],
  ["branches around a block that is repeated", of(behind(Circuit.residual(beside)), { after: "residual" })],
  ["branches to two outputs", of(twoHeads, {}, { outputs: 2 })],
  ["branches to two outputs, these too", of(twoHeads, { output: true }, { outputs: 2 })],
  ["branches of convolutions", of(inception, {}, { inputs: 16 })],
  ["columns and embeddings", of(table, {}, { inputs: 3 })],
  ["batch norms in the free run, repeated, every map", of(batchNormed, {})],
  ["batch norms in the free run, repeated, behind each", of(batchNormed, { after: "batch-norm", every: 2 })],
  ["repeat of relu", of(deep("relu", 6), { every: 2 }, { seed: 5 })],
  ["repeat, energy a sum, λ a half", of(deep("tanh"), { every: 2 }, { energy: "sum", λ: 0.5 })],
  ["repeat, one example", of(deep("tanh"), {}, { batch: 1 })],
  ["repeat of a stage that names axes", of(own(centred), {})],
  ["repeat of a stage that names axes, every second, after it", of(own(centred), { after: "activation", every: 2 })],
  ["repeat of a stage that names no axis", of(own(swish), {})],
  ["repeat of a stage with one number as its parameter", of(own(scaled), { every: 2 })],
  ["residual, one block, cut inside", of(around("tanh", 2), {})],
  ["residual, one block, the sum cut", of(around("tanh", 2), { after: "residual" })],
  [
    "residual, one block, the sum cut, the output too",
    of(inner, { after: "residual", output: true }, { inputs: 3, outputs: 3 })
  ],
  ["residual, repeated, cut inside, turn by turn", of(around("tanh"), {})],
  ["residual, repeated, cut inside after the activations", of(around("sigmoid"), { after: "activation" })],
  ["residual, repeated, every second cut inside", of(around("gelu"), { every: 2 })],
  ["residual, repeated, the sums cut", of(around("tanh"), { after: "residual" })],
  ["residual, repeated, every second sum cut", of(around("silu"), { after: "residual", every: 2 })],
  ["residual, repeated, every third sum cut, a tail", of(around("elu"), { after: "residual", every: 3 })],
  ["residual, repeated, inside and sums cut", of(around("tanh"), { after: ({ kind }) => kind !== "tanh" })],
  ["residual, repeated, uncut but for the first map", of(around("tanh"), { after: ({ path }) => path === "0" })],
  ["residual before a map, inside cut, turn by turn", of(behind(inner, Circuit.tanh), {})],
  ["residual before a map, both cut", of(behind(inner, Circuit.tanh, Circuit.linear(3, 3)), {})],
  [
    "residual before a map, both cut, every fourth",
    of(behind(inner, Circuit.tanh, Circuit.linear(3, 3)), { every: 4 })
  ],
  ["residual behind a map, both cut", of(behind(Circuit.linear(3, 3), inner), {})],
  [
    "residual behind a map, the map cut",
    of(behind(Circuit.linear(3, 3), inner), { after: ({ path }) => path.endsWith(".0") })
  ],
  ["residual in a residual, every sum cut", of(behind(outer), { after: "residual" })],
  [
    "residual in a residual, the outer sums cut",
    of(behind(outer), { after: ({ kind, path }) => kind === "residual" && path.split(".").length === 3 })
  ],
  [
    "residual in a residual, the inner sums cut, turn by turn",
    of(behind(outer), { after: ({ path }) => path.endsWith(".0.0.0") })
  ],
  ["residual in a residual, the maps cut, turn by turn", of(behind(outer), {})],
  [
    "residual of a repeat",
    of(
      Circuit.sequence(
        Circuit.linear(2, 3),
        Circuit.residual(Circuit.repeat(Circuit.sequence(Circuit.tanh, Circuit.linear(3, 3)), 4)),
        Circuit.linear(3, 1)
      ),
      {}
    )
  ],
  [
    "repeat in a repeat, turn by turn",
    of(
      Circuit.sequence(
        Circuit.linear(2, 2),
        Circuit.repeat(Circuit.repeat(Circuit.sequence(Circuit.tanh, Circuit.linear(2, 2)), 2), 3),
        Circuit.linear(2, 1)
      ),
      {}
    )
  ]
]

/** The rows as cases of the relaxed objective. */
export const all: ReadonlyArray<Case.Case> = rows.map(([name, settings]) =>
  CircuitCases.relaxed(`relaxed objective: ${name}`, settings)
)
