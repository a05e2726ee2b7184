/** The relaxed objective under many patterns of cuts, named by circuit and cut. */
import { type Block, Circuit, Cut } from "@rai/core"
import type { Case } from "../src/index.ts"
import * as CircuitCases from "./CircuitCases.ts"

type Row = readonly [name: string, settings: CircuitCases.Settings]

const deep = (activation: Circuit.Activation, hidden = 9) =>
  Circuit.perceptron([2, ...Array<number>(hidden).fill(3), 1], { activation })

const shallow = Circuit.perceptron([2, 3, 4, 2], { activation: "tanh" })

/** A repeated block of two linear maps, so that one turn can be cut at several leaves. */
const twofold = Circuit.sequence(
  Circuit.linear(2, 3),
  Circuit.repeat(Circuit.sequence(Circuit.tanh, Circuit.linear(3, 4), Circuit.sigmoid, Circuit.linear(4, 3)), 5),
  Circuit.linear(3, 1)
)

/** A repeated stage of a user's own: a formula that names axes, one that does not, and one with a parameter that every unit shares. */
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

/** Each pattern with what it shows. */
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
  ["repeat of relu", of(deep("relu", 6), { every: 2 }, { seed: 5 })],
  ["repeat, energy a sum, λ a half", of(deep("tanh"), { every: 2 }, { energy: "sum", λ: 0.5 })],
  ["repeat, one example", of(deep("tanh"), {}, { batch: 1 })],
  ["repeat of a stage that names axes", of(own(centred), {})],
  ["repeat of a stage that names axes, every second, after it", of(own(centred), { after: "activation", every: 2 })],
  ["repeat of a stage that names no axis", of(own(swish), {})],
  ["repeat of a stage with one number as its parameter", of(own(scaled), { every: 2 })],
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

/** The rows as cases. */
export const all: ReadonlyArray<Case.Case> = rows.map(([name, settings]) =>
  CircuitCases.relaxed(`relaxed objective: ${name}`, settings)
)
