/**
 * Operators that normalise to a mean and a scale.
 */
import type { Tensor } from "@rai/core"
import { filled, type Row } from "./Call.ts"
import * as Channels from "./Channels.ts"
import { mean } from "./Reductions.ts"
import { Refused } from "./Refused.ts"

type T = Tensor.Tensor

const batchNormalization: Row = (call) => {
  if (call.int("training_mode", 0) === 1 || (call.outputs[1] ?? "") !== "") {
    throw new Refused("it normalises by the batch, as in training")
  }
  const [x, rank] = [call.float(0), Math.max(2, call.rank())]
  const [scale, bias, μ, variance] = [1, 2, 3, 4].map((i) => Channels.each(call.float(i), rank))
  const ε = call.real("epsilon", 1e-5)
  return x
    .sub(μ!)
    .mul(scale!.div(variance!.add(ε).sqrt()))
    .add(bias!)
}

/** (x − μ) / √(σ² + ε) over axes, with μ and 1 / √(σ² + ε). */
const standardised = (x: T, axes: ReadonlyArray<number>, ε: number) => {
  const μ = mean(x, axes)
  const centred = x.sub(μ)
  const inverse = filled(1, μ.shape).div(mean(centred.square(), axes).add(ε).sqrt())
  return { y: centred.mul(inverse), mean: μ, inverse }
}

const layerNormalization: Row = (call) => {
  const axes = call.axesFrom(call.axis(call.int("axis", -1)))
  const { inverse, mean: μ, y } = standardised(call.float(), axes, call.real("epsilon", 1e-5))
  const scaled = y.mul(call.float(1))
  return [call.has(2) ? scaled.add(call.float(2)) : scaled, μ, inverse]
}

const rmsNormalization: Row = (call) => {
  const x = call.float()
  const axes = call.axesFrom(call.axis(call.int("axis", -1)))
  return x.div(mean(x.square(), axes).add(call.real("epsilon", 1e-5)).sqrt()).mul(call.float(1))
}

const instanceNormalization: Row = (call) => {
  const { y } = standardised(call.float(), call.axesFrom(2), call.real("epsilon", 1e-5))
  return y.mul(Channels.each(call.float(1), call.rank())).add(Channels.each(call.float(2), call.rank()))
}

const groupNormalization: Row = (call) => {
  const [x, groups] = [call.float(), call.int("num_groups", 1)]
  const [batch, all] = [x.shape[0]!, call.length(1)]
  const rest = call.axesFrom(2).map((axis) => call.length(axis))
  const size = rest.reduce((a, b) => a * b, all / groups)
  const { y } = standardised(x.reshape([batch, groups, size]), [2], call.real("epsilon", 1e-5))
  const own = [call.float(1), call.float(2)].map((v) => {
    // Before operator set 21 there is one number per group.
    const each =
      v.shape[0] === all
        ? v
        : v
            .reshape([groups, 1])
            .broadcastTo([groups, all / groups])
            .reshape([all])
    return Channels.each(each, call.rank())
  })
  return y.reshape(x.shape).mul(own[0]!).add(own[1]!)
}

const meanVarianceNormalization: Row = (call) => {
  const axes = (call.ints("axes") ?? [0, 2, 3]).map((axis) => call.axis(axis))
  const x = call.float()
  const centred = x.sub(mean(x, axes))
  return centred.div(mean(centred.square(), axes).sqrt().add(1e-9))
}

const lpNormalization: Row = (call) => {
  const [x, p, axis] = [call.float(), call.int("p", 2), call.axis(call.int("axis", -1))]
  if (p !== 1 && p !== 2) throw new Refused(`its p is ${p}`)
  const norm = p === 1 ? x.abs().sum([axis]) : x.square().sum([axis]).sqrt()
  const isZero = norm.equal(0)
  return x.div(isZero.where(filled(1, norm.shape), norm))
}

/** x / (bias + α / size Σ x²)^β over neighbouring channels. */
const localResponse: Row = (call) => {
  const [x, size] = [call.float(), call.int("size", 1)]
  const n = call.length(1)
  if (!(size >= 1 && size <= 64)) throw new Refused(`it looks at ${size} channels`)
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)]
  const squares = x.square().pad(1, before, after)
  const near = Array.from({ length: size }, (_, i) => squares.slice(1, i, i + n)).reduce((a, b) => a.add(b))
  const base = near.mul(call.real("alpha", 1e-4) / size).add(call.real("bias", 1))
  return x.div(base.log().mul(call.real("beta", 0.75)).exp())
}

export const rows: Readonly<Record<string, Row>> = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  LpNormalization: lpNormalization,
  LRN: localResponse
}
