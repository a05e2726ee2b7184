/**
 * Evaluates a circuit under a cut handler. Where the auxiliaries are known beforehand, the segments between the cuts of a repeated block do not
 * depend on each other: they are stacked on a leading axis and computed together.
 */
import type { Block } from "../circuit/Block.ts"
import * as Circuit from "../circuit/Circuit.ts"
import * as Graph from "../circuit/Graph.ts"
import { order } from "../program/Program.ts"
import * as Shape from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import { concat, constant, Tensor } from "../tensor/Tensor.ts"
import * as Throwing from "../tensor/Throwing.ts"
import * as Cut from "./Cut.ts"
import * as Segments from "./Segments.ts"
import * as StackedBlock from "./StackedBlock.ts"

/** Finds a parameter by its full name. */
export type Theta = (name: string) => Tensor

/** The output for z: [batch, inputs] → [batch, outputs]. Throws `ShapeMismatch` with the path of the block at fault. */
export const evaluate = (
  circuit: Circuit.Circuit,
  θ: Theta,
  z: Tensor,
  handler: Cut.Handler = Cut.none,
  path = ""
): Tensor => {
  switch (circuit._tag) {
    case "Block": {
      handler.onInput?.(path, z)
      if (circuit.graph !== undefined) return located(path, () => throughout(circuit, θ, z, handler, path))
      const prediction = located(path, () => predicted(circuit, θ, z, handler, path))
      return handler.sites.has(path) ? handler.onCut(path, prediction) : prediction
    }
    case "Sequence":
      return circuit.children.reduce((h, child, i) => evaluate(child, θ, h, handler, Circuit.join(path, i)), z)
    case "Residual": {
      const through = evaluate(circuit.child, θ, z, handler, Circuit.join(path, 0))
      const prediction = located(path, () => around(z, through))
      return handler.sites.has(path) ? handler.onCut(path, prediction) : prediction
    }
    case "Branch": {
      const parts = circuit.children.map((child, i) => evaluate(child, θ, z, handler, Circuit.join(path, i)))
      const prediction = located(path, () => concat(parts, isStacked(path) ? 2 : 1))
      return handler.sites.has(path) ? handler.onCut(path, prediction) : prediction
    }
    case "Repeat": {
      located(path, () => isRepeated(circuit))
      const segments = handler.auxiliary === undefined ? undefined : Segments.of(circuit, path, handler.sites)
      return segments === undefined
        ? turns(circuit, θ, z, handler, path, 0, circuit.times)
        : together(circuit, θ, z, handler as Required<Cut.Handler>, path, segments)
    }
  }
}

/** Evaluates a graph, applying the handler at each of its places that is cut. */
const throughout = ({ graph, parameters }: Block, θ: Theta, z: Tensor, handler: Cut.Handler, path: string): Tensor => {
  const own = Object.fromEntries(Object.keys(parameters).map((name) => [name, θ(Circuit.join(path, name))]))
  return Graph.evaluate(graph!, z, own, ({ name }, prediction) => {
    const place = Circuit.join(path, name)
    return handler.sites.has(place) ? handler.onCut(place, prediction) : prediction
  })
}

const isRepeated = ({ times }: Circuit.Repeat): void => {
  if (Number.isInteger(times) && times >= 1) return
  const [expected, came] = ["a whole number of turns from 1", String(times)]
  throw new ShapeMismatch({ operation: "repeat", expected, came, advice: "repeat it once or more" })
}

/** Whether a path stands for all segments of a repeated block at once. */
const isStacked = (path: string): boolean => path.split(".").includes("*")

/** ẑ of one block; in a training step, by the block's training-time formula. */
const predicted = (block: Block, θ: Theta, z: Tensor, { training }: Cut.Handler, path: string): Tensor => {
  const own = block.training
  const isTraining = training !== undefined && own !== undefined && (training.random || own.random !== true)
  const random = isTraining && own.random === true ? ["uniform"] : []
  const names = [...Object.keys(block.parameters), ...random]
  const parameters = Object.fromEntries(names.map((name) => [name, θ(Circuit.join(path, name))]))
  const f = isTraining ? own.apply : block.apply
  if (isTraining && own.statistics !== undefined) {
    const { statistics } = own
    for (const name of Object.keys(block.parameters).filter((name) => !Circuit.isTrained(block.parameters[name]!))) {
      const s = isStacked(path) ? StackedBlock.each(z, (one) => statistics(one)[name]!) : statistics(z)[name]!
      const distance = parameters[name]!.reshape(s.shape).sub(s).square().total().mul(0.5)
      training.onStatistic(path, z, distance)
    }
  }
  const ẑ = isStacked(path) ? StackedBlock.apply(block, f, z, parameters) : f(z, parameters)
  keepsPromise(block, z, ẑ)
  return ẑ
}

/** Checks that a block returns one ẑ per example, of real numbers and with the width that its settings declare. */
const keepsPromise = ({ graph, kind, settings: { outputs } }: Block, z: Tensor, ẑ: Tensor): void => {
  const [examples, width] = [z.shape[0] ?? "batch", outputs ?? "…"]
  if (!(ẑ instanceof Tensor)) {
    const advice = "return what its formula gives"
    throw new ShapeMismatch({ operation: kind, expected: "it to give a tensor", came: String(ẑ), advice })
  }
  if (ẑ.dtype !== "float" && graph === undefined) {
    const came = ẑ.dtype === "bool" ? "truth values" : "whole numbers"
    const advice = "end the formula with .float()"
    throw new ShapeMismatch({ operation: kind, expected: "it to give numbers that have gradients", came, advice })
  }
  if (ẑ.shape[0] === z.shape[0] && (outputs === undefined || ẑ.shape.at(-1) === outputs)) return
  throw new ShapeMismatch({
    operation: kind,
    expected: `it to give [${examples}, ${width}]`,
    came: Shape.show(ẑ.shape)
  })
}

/** z + f(z) */
const around = (z: Tensor, through: Tensor): Tensor => {
  if (Shape.equals(z.shape, through.shape)) return z.add(through)
  const [expected, came] = [Shape.show(z.shape), Shape.show(through.shape)]
  throw new ShapeMismatch({ operation: "residual", expected, came })
}

/** Evaluates turns `from` to `to` (exclusive) of a repeated block in sequence. */
const turns = (
  { child }: Circuit.Repeat,
  θ: Theta,
  z: Tensor,
  handler: Cut.Handler,
  path: string,
  from: number,
  to: number
): Tensor => {
  let h = z
  for (let turn = from; turn < to; turn++) {
    const here = Circuit.join(path, turn)
    const own: Theta = (name) => θ(Circuit.join(path, "*") + name.slice(here.length)).at(0, turn)
    h = evaluate(child, own, h, handler, here)
  }
  return h
}

const together = (
  repeat: Circuit.Repeat,
  θ: Theta,
  z: Tensor,
  handler: Required<Cut.Handler>,
  path: string,
  { count, first, period, places }: Segments.Segments
): Tensor => {
  const stacked = Circuit.join(path, "*")
  const predictions = new Map<string, Array<Tensor>>(places.map((place) => [place, []]))
  // The output of a cut turn depends on its auxiliary alone, so any input will do.
  const anything = constant(0).broadcastTo([count, ...z.shape])
  const { training } = handler
  const uncut: Cut.Handler = { ...Cut.none, training }
  /** Blocks after a cut, whose statistics the first evaluation below reports; blocks before a cut report once their real input is known. */
  const told = new Set<string>()
  const telling: Cut.Training | undefined = training && {
    ...training,
    onStatistic: (place, input, distance) => {
      if (!told.has(place)) training.onStatistic(place, input, distance)
    }
  }
  const tellingBehind: Cut.Training | undefined = training && {
    ...training,
    onStatistic: (place, input, distance) => {
      if (order([input]).includes(anything)) return
      told.add(place)
      training.onStatistic(place, input, distance)
    }
  }
  /** Cuts segments `from` to `to` (exclusive), and collects their predictions if `keep`. */
  const cutting = (from: number, to: number, keep: boolean): Cut.Handler => ({
    sites: new Set(places),
    training: keep ? telling : tellingBehind,
    onCut: (place, prediction) => {
      if (keep) predictions.get(place)!.push(prediction)
      return handler.auxiliary(place).slice(0, from, to)
    }
  })
  // A head as long as the segments counts as one more segment.
  const from = first + 1 === period ? 0 : 1
  /** Parameters of the segments s ≥ from, [segments, period, …]: built once, so that their gradient is assembled once. */
  const grouped = new Map<string, Tensor>()
  const group: Theta = (name) => {
    const all = θ(name)
    const start = first + (from - 1) * period + 1
    const known =
      grouped.get(name) ??
      all.slice(0, start, start + (count - from) * period).reshape([count - from, period, ...all.shape.slice(1)])
    grouped.set(name, known)
    return known
  }
  /** Parameters of the j-th turn of each of these segments: [segments, …]. */
  const ofTurn =
    (j: number): Theta =>
    (name) =>
      perExample(group(name).at(1, j))
  const cutTurn: Theta = (name) =>
    from === 0
      ? ofTurn(period - 1)(name)
      : concat([perExample(θ(name).slice(0, first, first + 1)), ofTurn(period - 1)(name)], 0)
  const out = evaluate(repeat.child, cutTurn, anything, cutting(0, count, false), stacked)
  if (from === 1) {
    const before = turns(repeat, θ, z, uncut, path, 0, first)
    const cutFirst: Theta = (name) => perExample(θ(name).slice(0, first, first + 1))
    evaluate(repeat.child, cutFirst, before.reshape([1, ...before.shape]), cutting(0, 1, true), stacked)
  }
  const following = from < count ? [out.slice(0, 0, count - 1)] : []
  let h = concat(from === 0 ? [z.reshape([1, ...z.shape]), ...following] : following, 0)
  for (let j = 0; j < period; j++) {
    h = evaluate(repeat.child, ofTurn(j), h, j === period - 1 ? cutting(from, count, true) : uncut, stacked)
  }
  for (const [place, parts] of predictions) handler.onCut(place, concat(parts, 0))
  return turns(repeat, θ, out.at(0, count - 1), uncut, path, first + (count - 1) * period + 1, repeat.times)
}

/** Gives parameters, which all examples share, an axis for the examples: [segments, units] → [segments, 1, units]. */
const perExample = (parameter: Tensor): Tensor =>
  parameter.shape.length === 2 ? parameter.reshape([parameter.shape[0]!, 1, parameter.shape[1]!]) : parameter

/** Runs a formula; what it throws names the block at `path`. */
const located = <A>(path: string, formula: () => A): A => {
  try {
    return Throwing.at(path === "" ? "the block" : `block ${path}`, formula)
  } catch (error) {
    if (!(error instanceof ShapeMismatch) || error.path !== undefined) throw error
    const { advice, came, expected, operation } = error
    throw new ShapeMismatch({ operation, expected, came, path, ...(advice === undefined ? {} : { advice }) })
  }
}
