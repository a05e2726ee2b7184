/**
 * Evaluates a circuit under a cut handler. Where the auxiliaries are known beforehand, the segments between the cuts of a repeated block do not
 * depend on each other, and are evaluated at once (`StackedSegments`).
 */
import type { Block } from "../circuit/Block.ts"
import * as Circuit from "../circuit/Circuit.ts"
import * as Graph from "../circuit/Graph.ts"
import * as Shape from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import { concat, Tensor } from "../tensor/Tensor.ts"
import * as Throwing from "../tensor/Throwing.ts"
import * as Cut from "./Cut.ts"
import * as Segments from "./Segments.ts"
import * as StackedBlock from "./StackedBlock.ts"
import * as StackedSegments from "./StackedSegments.ts"
import * as Turns from "./Turns.ts"

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
      const { child, times } = circuit
      const repeated: Turns.Repeated = { path, times, θ, evaluate: (own, h, by, at) => evaluate(child, own, h, by, at) }
      const segments = handler.auxiliary === undefined ? undefined : Segments.of(circuit, path, handler.sites)
      return segments === undefined
        ? Turns.inSequence(repeated, z, handler, 0, times)
        : StackedSegments.evaluate(repeated, segments, z, handler as Required<Cut.Handler>)
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

/** Runs a formula; what it throws names the block at `path`. */
const located = <A>(path: string, formula: () => A): A =>
  Throwing.at(path === "" ? "the block" : `block ${path}`, formula, path)
