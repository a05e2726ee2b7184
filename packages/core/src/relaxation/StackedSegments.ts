/**
 * A repeated block whose cuts divide it into equal segments, evaluated at once. What leaves a cut depends on its auxiliary alone, and the segment
 * behind begins with it, so that no segment waits for another:
 *
 *     turns         0 1 2 | 3 4 5 6 | 7 8 9 10 | 11 12         cut in turns 2, 6 and 10
 *     1. onward         z₂→       z₆→       z₁₀→               what leaves the cut turns: these turns stacked, one evaluation
 *     2. head       x → ẑ₂                                     turn by turn
 *     3. segments           → ẑ₆ ‖      → ẑ₁₀                  turn by turn, the same turn of each segment stacked, four evaluations
 *     4. tail                                    → output      turn by turn
 *
 * A head as long as the segments counts as one of them. `Segments` finds the division; `StackedBlock` evaluates one block on a stack.
 */
import * as Circuit from "../circuit/Circuit.ts"
import { order } from "../program/Program.ts"
import { concat, constant, type Tensor } from "../tensor/Tensor.ts"
import * as Cut from "./Cut.ts"
import type { Theta } from "./Evaluation.ts"
import type { Segments } from "./Segments.ts"
import * as Turns from "./Turns.ts"

/** The output of the repeated block for z: [batch, …]; the handler gets the predictions of each place as one stack [cuts, batch, …]. */
export const evaluate = (
  repeated: Turns.Repeated,
  segments: Segments,
  z: Tensor,
  handler: Required<Cut.Handler>
): Tensor => {
  const { count, first, period, places } = segments
  const { path, times } = repeated
  const hasHead = first + 1 !== period
  const parameters = stackedParameters(repeated.θ, segments, hasHead)
  const evaluateStacked = (θ: Theta, inputs: Tensor, by: Cut.Handler) =>
    repeated.evaluate(θ, inputs, by, Circuit.join(path, "*"))

  // What leaves a cut turn does not depend on what enters it, so any input will do.
  const anyInput = constant(0).broadcastTo([count, ...z.shape])
  const statistics = reportedOnce(handler.training, anyInput)
  const uncut: Cut.Handler = { ...Cut.none, training: handler.training }
  const sites = new Set(places)
  const onward = evaluateStacked(parameters.ofCutTurns, anyInput, {
    sites,
    training: statistics.behindCuts,
    onCut: (place) => handler.auxiliary(place).slice(0, 0, count)
  })

  const predictions = new Map<string, Array<Tensor>>(places.map((place) => [place, []]))
  /** Collects the predictions at the cuts `from` to `to` (exclusive). */
  const predicting = (from: number, to: number): Cut.Handler => ({
    sites,
    training: statistics.beforeCuts,
    onCut: (place, prediction) => {
      predictions.get(place)!.push(prediction)
      return handler.auxiliary(place).slice(0, from, to)
    }
  })
  const alone = (one: Tensor) => one.reshape([1, ...one.shape])
  if (hasHead) {
    const h = Turns.inSequence(repeated, z, uncut, 0, first)
    evaluateStacked(parameters.ofFirstCutTurn, alone(h), predicting(0, 1))
  }
  const behindCuts = onward.slice(0, 0, count - 1)
  let h = hasHead ? behindCuts : concat([alone(z), behindCuts], 0)
  for (let turn = 0; turn < period; turn++) {
    const isCut = turn === period - 1
    h = evaluateStacked(parameters.ofTurn(turn), h, isCut ? predicting(hasHead ? 1 : 0, count) : uncut)
  }
  for (const [place, own] of predictions) handler.onCut(place, concat(own, 0))

  const last = first + (count - 1) * period
  return Turns.inSequence(repeated, onward.at(0, count - 1), uncut, last + 1, times)
}

/** The parameters of turns that are evaluated at once, each with a leading axis for the segments. */
const stackedParameters = (θ: Theta, { count, first, period }: Segments, hasHead: boolean) => {
  const [segments, start] = hasHead ? [count - 1, first + 1] : [count, 0]
  const known = new Map<string, Tensor>()
  /** [segments, period, …]: built once, so that its gradient is assembled once. */
  const bySegment: Theta = (name) => {
    const all = θ(name)
    const own =
      known.get(name) ??
      all.slice(0, start, start + segments * period).reshape([segments, period, ...all.shape.slice(1)])
    known.set(name, own)
    return own
  }
  /** Of the same turn of each segment. */
  const ofTurn =
    (turn: number): Theta =>
    (name) =>
      perExample(bySegment(name).at(1, turn))
  const ofFirstCutTurn: Theta = (name) => perExample(θ(name).slice(0, first, first + 1))
  const ofLast = ofTurn(period - 1)
  const ofCutTurns: Theta = (name) => (hasHead ? concat([ofFirstCutTurn(name), ofLast(name)], 0) : ofLast(name))
  return { ofTurn, ofFirstCutTurn, ofCutTurns }
}

/** Gives parameters, which all examples share, an axis for the examples: [segments, units] → [segments, 1, units]. */
const perExample = (parameter: Tensor): Tensor =>
  parameter.shape.length === 2 ? parameter.reshape([parameter.shape[0]!, 1, parameter.shape[1]!]) : parameter

/**
 * The cut turns are evaluated twice: for what leaves them, from any input, and for their predictions. The statistics of a block are reported from the
 * evaluation in which its input is real: behind a cut from the first, before it from the second.
 */
const reportedOnce = (training: Cut.Training | undefined, anyInput: Tensor) => {
  const reported = new Set<string>()
  const behindCuts = training && {
    ...training,
    onStatistic: (path: string, input: Tensor, distance: Tensor) => {
      if (order([input]).includes(anyInput)) return
      reported.add(path)
      training.onStatistic(path, input, distance)
    }
  }
  const beforeCuts = training && {
    ...training,
    onStatistic: (path: string, input: Tensor, distance: Tensor) => {
      if (!reported.has(path)) training.onStatistic(path, input, distance)
    }
  }
  return { behindCuts, beforeCuts }
}
