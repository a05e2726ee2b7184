/**
 * Random circuits that pass as trained, over every kind of block, task and preprocessing, with examples to run them on.
 */
import { Circuit, type Engine, NdArray, Preprocessing, Pseudorandom, type Trained, version } from "@rai/core"
import * as RandomCircuit from "./RandomCircuit.ts"

/** A random trained circuit and raw examples x: [batch, columns], with missing values and unseen categories where it can handle them. */
export interface RandomTrained {
  readonly trained: Trained.Trained
  readonly x: NdArray.NdArray
}

/**
 * Returns a random trained circuit with examples, the same for the same seed.
 *
 * ```ts
 * import { RandomTrained } from "@rai/conformance"
 * import { Circuit } from "@rai/core"
 *
 * const { trained } = RandomTrained.make(7)
 * trained.inputNames.length === Circuit.inputs(trained.circuit) // => true
 * ```
 */
export const make = (seed: number): RandomTrained => {
  const draw = RandomCircuit.draw(seed)
  const task = draw.one(["binary", "classes", "regression"] as const)
  const outputs = { binary: 1, classes: draw.whole(2, 4), regression: draw.whole(1, 3) }[task]
  const preprocessing = draw.whole(0, 3) === 0 ? preprocessed(draw) : undefined
  const names = preprocessing && Preprocessing.features(preprocessing)
  const { categories, circuit, inputs } = RandomCircuit.grow(draw, outputs, names?.length)
  const trained: Trained.Trained = {
    circuit,
    parameters: parameters(circuit, seed),
    task,
    inputNames: names ?? Array.from({ length: inputs }, (_, i) => `x${i + 1}`),
    ...(preprocessing && { preprocessing }),
    ...(task !== "regression" && {
      classNames: Array.from({ length: Math.max(2, outputs) }, (_, i) => `class ${i}`)
    }),
    origin: { plan: "by chance", seed, engine: "none", version }
  }
  const { normal } = Pseudorandom.stream(seed, "examples")
  const batch = draw.whole(1, 9)
  const cell = preprocessing
    ? (column: number) => raw(draw, preprocessing.columns[column]!, preprocessing.unseen, normal)
    : // The draw includes −1: a number that is no category is embedded as the vector 0.
      (column: number) => (categories[column] === undefined ? normal() : draw.whole(-1, categories[column]))
  const columns = preprocessing?.columns.length ?? inputs
  const x = Array.from({ length: batch * columns }, (_, i) => cell(i % columns))
  return { trained, x: NdArray.make([batch, columns], x) }
}

type Column = Preprocessing.Preprocessing["columns"][number]

const preprocessed = (draw: RandomCircuit.Draw): Preprocessing.Preprocessing => {
  const column = (_: unknown, i: number): Column => {
    const [name, filled] = [`column ${i + 1}`, draw.whole(0, 1) === 1]
    if (draw.whole(0, 2) > 0) {
      const [mean, scale] = [draw.whole(-2000, 2000) + 1 / 3, draw.whole(1, 50) / 7]
      return { _tag: "Number", name, mean, scale, ...(filled && { fill: mean + scale }) }
    }
    const categories = Array.from({ length: draw.whole(1, 4) }, (_, k) => `category ${k + 1}`)
    return { _tag: "Category", name, categories, ...(filled && { fill: categories[0]! }) }
  }
  const columns = Array.from({ length: draw.whole(1, 5) }, column)
  return { columns, unseen: draw.one(["error", "zeros"]) }
}

/** Draws a raw cell: a number around its mean or the index of a category, at times missing or unseen. */
const raw = (draw: RandomCircuit.Draw, of: Column, unseen: "error" | "zeros", normal: () => number): number => {
  if (of.fill !== undefined && draw.whole(0, 4) === 0) return Number.NaN
  if (of._tag === "Number") return of.mean + of.scale * normal()
  return draw.whole(unseen === "zeros" ? -1 : 0, of.categories.length - 1)
}

/**
 * Draws parameters of the size that initialisers choose, ±√3/√fan_in, with the weights inside residual blocks divided by √k for k such blocks in
 * the circuit, so that signals neither vanish nor grow; scales and variances lie in ½ … 2.
 */
const parameters = (circuit: Circuit.Circuit, seed: number): Engine.Arrays => {
  const { uniforms } = Pseudorandom.stream(seed, "parameters")
  const sums = Circuit.sites(circuit).filter(({ block }) => block.kind === "residual")
  return Object.fromEntries(
    Object.entries(Circuit.parameters(circuit)).map(([name, { fanIn, role, shape }]) => {
      const within = sums.some(({ leaf }) => name.startsWith(`${leaf}.`))
      const bound = Math.sqrt(3 / fanIn) / (within && role === "weight" ? Math.sqrt(sums.length) : 1)
      const positive = role === "scale" || name.endsWith("variance")
      const [low, high] = positive ? [0.5, 2] : role === "statistic" || role === "bias" ? [-0.5, 0.5] : [-bound, bound]
      return [name, NdArray.make(shape, uniforms(NdArray.size(shape), low, high))]
    })
  )
}
