/**
 * The table of supported layers: one row each, the layer as ONNX operators. Between layers, values keep the layout of TensorFlow.js, channels last;
 * an operator that needs them second stands between two transpositions.
 */
import { Schema } from "effect"
import type { Attributes } from "../Model.ts"
import { Refused } from "../read/Refused.ts"
import type { LayerCall, Value } from "./LayerCall.ts"

/** Maps a layer to its output. Throws `Refused` with what it cannot express. */
export type Row = (layer: LayerCall) => Value

type Formula = (layer: LayerCall, x: Value) => Value

const plain =
  (operator: string, attributes: Attributes = {}): Formula =>
  (layer, x) =>
    layer.add(operator, [x], attributes, x.rank)

const gelu = (approximate: string): Formula => plain("Gelu", { approximate })

/** Activation functions by their Keras names. */
const activations: Readonly<Record<string, Formula>> = {
  linear: (_, x) => x,
  relu: plain("Relu"),
  relu6: (layer, x) => clipped(layer, x, 6),
  sigmoid: plain("Sigmoid"),
  hard_sigmoid: plain("HardSigmoid", { alpha: { real: 0.2 }, beta: { real: 0.5 } }),
  tanh: plain("Tanh"),
  softmax: plain("Softmax", { axis: -1 }),
  log_softmax: plain("LogSoftmax", { axis: -1 }),
  elu: plain("Elu"),
  selu: plain("Selu"),
  softplus: plain("Softplus"),
  softsign: plain("Softsign"),
  mish: plain("Mish"),
  gelu: gelu("none"),
  gelu_new: gelu("tanh"),
  swish: (layer, x) => layer.add("Mul", [x, layer.add("Sigmoid", [x], {}, x.rank)], {}, x.rank)
}

const clipped = (layer: LayerCall, x: Value, most: number): Value =>
  layer.add("Clip", [x, layer.real(0), layer.real(most)], {}, x.rank)

/** Applies the activation function that the setting `activation` names. */
const activated = (layer: LayerCall, x: Value): Value => {
  const name = layer
    .text("activation", "linear")
    .replace(/(?<=[a-z])(?=[A-Z])/g, "_")
    .toLowerCase()
  const formula = Object.hasOwn(activations, name) ? activations[name] : undefined
  if (formula === undefined) throw new Refused(`its activation is ${name}`)
  return formula(layer, x)
}

/** The bias as a further input; none where the layer has none. */
const biasOf = (layer: LayerCall): ReadonlyArray<string> => (layer.flag("use_bias", true) ? [layer.weight("bias")] : [])

const dense: Row = (layer) => {
  const x = layer.input
  const bias = biasOf(layer)
  if (x.rank === 2) return activated(layer, layer.add("Gemm", [x, layer.weight("kernel"), ...bias]))
  const y = layer.add("MatMul", [x, layer.weight("kernel")])
  return activated(layer, bias[0] === undefined ? y : layer.add("Add", [y, bias[0]]))
}

/** Applies `f` with the channels second, and puts them back in their place after it. */
const channelsSecond = (layer: LayerCall, x: Value, f: (x: Value) => Value): Value => {
  if (layer.text("data_format", "channels_last") === "channels_first") return f(x)
  const axes = Array.from({ length: x.rank }, (_, axis) => axis)
  const turned = layer.add("Transpose", [x], { perm: [0, x.rank - 1, ...axes.slice(1, -1)] })
  return layer.add("Transpose", [f(turned)], { perm: [0, ...axes.slice(2), 1] })
}

/** The input, which has `axes` axes beside the batch and the channels. */
const spatialInput = (layer: LayerCall, axes: number): Value => {
  const { input } = layer
  if (input.rank === axes + 2) return input
  throw new Refused(`${input.rank} axes come in instead of ${axes + 2}`, true)
}

/** A convolution with the channels second, and the layer's activation function after it. */
const convolved = (layer: LayerCall, axes: number, f: (x: Value) => Value): Value =>
  activated(layer, channelsSecond(layer, spatialInput(layer, axes), f))

/** Attributes of a sliding window. */
const sliding = (
  layer: LayerCall,
  axes: number,
  kernel: ReadonlyArray<number>,
  otherwise: ReadonlyArray<number>
): Attributes => {
  const strides = layer.setting("strides") === null ? otherwise : layer.list("strides", axes, otherwise)
  const dilations = layer.list("dilation_rate", axes, Array<number>(axes).fill(1))
  const padding = layer.text("padding", "valid")
  const attributes = { kernel_shape: kernel, strides, dilations }
  if (padding === "same") return { ...attributes, auto_pad: "SAME_UPPER" }
  if (padding === "valid") return attributes
  throw new Refused(`its padding is ${padding}`)
}

const ones = (axes: number): ReadonlyArray<number> => Array<number>(axes).fill(1)

const spatial = (axes: number): ReadonlyArray<number> => Array.from({ length: axes }, (_, axis) => axis)

/** [window, channels, filters] → [filters, channels, window] */
const convolution =
  (axes: number): Row =>
  (layer) =>
    convolved(layer, axes, (x) => {
      const settings = sliding(layer, axes, layer.list("kernel_size", axes), ones(axes))
      const W = layer.weight("kernel", [axes + 1, axes, ...spatial(axes)])
      return layer.add("Conv", [x, W, ...biasOf(layer)], settings)
    })

/** One convolution per channel: [height, width, channels, multiplier] → [channels · multiplier, 1, height, width] */
const eachChannel = (layer: LayerCall, x: Value, bias: ReadonlyArray<string>): Value => {
  const kernel = layer.list("kernel_size", 2)
  const W = layer.weight("depthwise_kernel", [2, 3, 0, 1], ([channels, times, ...window]) => [
    channels! * times!,
    1,
    ...window
  ])
  const group = layer.lengthOf("depthwise_kernel", 2)
  return layer.add("Conv", [x, W, ...bias], { ...sliding(layer, 2, kernel, ones(2)), group })
}

const depthwise: Row = (layer) => convolved(layer, 2, (x) => eachChannel(layer, x, biasOf(layer)))

const separable: Row = (layer) =>
  convolved(layer, 2, (x) => {
    const W = layer.weight("pointwise_kernel", [3, 2, 0, 1])
    return layer.add("Conv", [eachChannel(layer, x, []), W, ...biasOf(layer)])
  })

/** [height, width, filters, channels] → [channels, filters, height, width] */
const transposedConvolution: Row = (layer) =>
  convolved(layer, 2, (x) => {
    const kernel = layer.list("kernel_size", 2)
    const settings = sliding(layer, 2, kernel, ones(2))
    const isWide = layer.list("strides", 2, ones(2)).some((stride, i) => stride > kernel[i]!)
    if (isWide) throw new Refused("its strides are longer than its window")
    const W = layer.weight("kernel", [3, 2, 0, 1])
    return layer.add("ConvTranspose", [x, W, ...biasOf(layer)], settings)
  })

const pool =
  (operator: "MaxPool" | "AveragePool", axes: number): Row =>
  (layer) => {
    const kernel = layer.list("pool_size", axes)
    const { dilations: _, ...settings } = sliding(layer, axes, kernel, kernel)
    return channelsSecond(layer, spatialInput(layer, axes), (x) => layer.add(operator, [x], settings))
  }

const wholePool =
  (operator: "ReduceMean" | "ReduceMax", axes: number): Row =>
  (layer) => {
    const x = spatialInput(layer, axes)
    const first = layer.text("data_format", "channels_last") === "channels_first" ? 2 : 1
    const over = layer.integers(spatial(axes).map((axis) => axis + first))
    const keeps = layer.flag("keepdims", false)
    return layer.add(operator, [x, over], { keepdims: Number(keeps) }, keeps ? axes + 2 : 2)
  }

/** The setting `axis`, a number or a list of one, counted from the front. */
const axisOf = (layer: LayerCall, rank: number): number => {
  const given = layer.setting("axis") ?? -1
  const [axis, ...others] = Array.isArray(given) ? given : [given]
  if (typeof axis !== "number" || others.length > 0) throw new Refused(`its axis is ${JSON.stringify(given)}`)
  return axis < 0 ? axis + rank : axis
}

/** Scale and shift of each channel; one that the layer lacks is constant, 1 or 0. */
const scaling = (layer: LayerCall, n: number) => ({
  scale: layer.flag("scale", true) ? layer.weight("gamma") : layer.filled(1, n),
  shift: layer.flag("center", true) ? layer.weight("beta") : layer.filled(0, n)
})

const batchNormalization: Row = (layer) => {
  const x = layer.input
  const axis = axisOf(layer, x.rank)
  if (axis !== x.rank - 1 && axis !== 1) throw new Refused(`its axis is ${axis} of ${x.rank}`)
  const { scale, shift } = scaling(layer, layer.lengthOf("moving_mean", 0))
  const arrays = [scale, shift, layer.weight("moving_mean"), layer.weight("moving_variance")]
  const normalised = (of: Value) =>
    layer.add("BatchNormalization", [of, ...arrays], { epsilon: { real: layer.number("epsilon", 1e-3) } })
  return axis === 1 ? normalised(x) : channelsSecond(layer, x, normalised)
}

const layerNormalization: Row = (layer) => {
  const x = layer.input
  const axis = axisOf(layer, x.rank)
  if (axis !== x.rank - 1) throw new Refused(`its axis is ${axis} of ${x.rank}, not the last`)
  const one = layer.has("gamma") ? layer.lengthOf("gamma", 0) : layer.has("beta") ? layer.lengthOf("beta", 0) : 1
  const { scale, shift } = scaling(layer, one)
  return layer.add("LayerNormalization", [x, scale, shift], {
    axis: -1,
    epsilon: { real: layer.number("epsilon", 1e-3) }
  })
}

const embedding: Row = (layer) => {
  const x = layer.input
  if (layer.flag("mask_zero", false)) throw new Refused("it masks zeros")
  const index = layer.add("Cast", [x], { to: 6 })
  return layer.add("Gather", [layer.weight("embeddings"), index], { axis: 0 }, x.rank + 1)
}

const merge =
  (operator: string): Row =>
  (layer) => {
    const [first, ...others] = layer.inputs
    if (first === undefined || others.length === 0) throw new Refused("it puts nothing together", true)
    if (others.some(({ rank }) => rank !== first.rank)) throw new Refused("its inputs have not as many axes each other")
    return others.reduce((y, x) => layer.add(operator, [y, x]), first)
  }

const average: Row = (layer) => layer.add("Mean", layer.inputs)

const concatenate: Row = (layer) => {
  const [first] = layer.inputs
  if (first === undefined) throw new Refused("it puts nothing together", true)
  return layer.add("Concat", layer.inputs, { axis: axisOf(layer, first.rank) })
}

const reshape: Row = (layer) => {
  const target = layer.setting("target_shape")
  if (!Array.isArray(target)) throw new Refused(`its target_shape is ${JSON.stringify(target)}`, true)
  const shape = target.map((n) => (n === null ? -1 : Number(n)))
  return layer.add("Reshape", [layer.input, layer.integers([0, ...shape])], {}, shape.length + 1)
}

const flatten: Row = (layer) => {
  if (layer.text("data_format", "channels_last") === "channels_first") throw new Refused("its channels come first")
  return layer.input.rank === 2 ? layer.input : layer.add("Flatten", [layer.input], { axis: 1 }, 2)
}

const permute: Row = (layer) => {
  const { rank } = layer.input
  return layer.add("Transpose", [layer.input], { perm: [0, ...layer.list("dims", rank - 1)] })
}

/** [[above, below], [left, right]], as TensorFlow.js writes it. */
const sides = Schema.Tuple([Schema.Tuple([Schema.Int, Schema.Int]), Schema.Tuple([Schema.Int, Schema.Int])])

const zeroPadding: Row = (layer) => {
  const given = layer.setting("padding")
  if (!Schema.is(sides)(given)) throw new Refused(`its padding is ${JSON.stringify(given)}`, true)
  return channelsSecond(layer, spatialInput(layer, 2), (x) => {
    const [before, after] = [0, 1].map((end) => [0, 0, ...given.map((side) => side[end]!)])
    return layer.add("Pad", [x, layer.integers([...before!, ...after!])])
  })
}

const relu: Row = (layer) => {
  const x = layer.input
  const [slope, threshold] = [layer.number("negative_slope", 0), layer.number("threshold", 0)]
  if (slope !== 0 || threshold !== 0) throw new Refused("it has a slope below 0 or a threshold")
  const most = layer.setting("max_value") ?? null
  return most === null ? layer.add("Relu", [x]) : clipped(layer, x, layer.number("max_value"))
}

/** The slope is `alpha` in tfjs and Keras 2, `negative_slope` in Keras 3. */
const leakyRelu: Row = (layer) => {
  const alpha = layer.number("negative_slope", layer.number("alpha", 0.3))
  return layer.add("LeakyRelu", [layer.input], { alpha: { real: alpha } })
}

const softmax: Row = (layer) => layer.add("Softmax", [layer.input], { axis: axisOf(layer, layer.input.rank) })

const rescaling: Row = (layer) => {
  const scaled = layer.add("Mul", [layer.input, layer.real(layer.number("scale", 1))])
  return layer.add("Add", [scaled, layer.real(layer.number("offset", 0))])
}

/** Passes its input on unchanged, as dropout and noise do in the free run. */
const through: Row = (layer) => layer.input

/** Row of each supported layer, by its class. */
export const table: ReadonlyMap<string, Row> = new Map<string, Row>([
  ["Dense", dense],
  ["Activation", (layer) => activated(layer, layer.input)],
  ["ReLU", relu],
  ["LeakyReLU", leakyRelu],
  ["ELU", (layer) => layer.add("Elu", [layer.input], { alpha: { real: layer.number("alpha", 1) } })],
  ["PReLU", (layer) => layer.add("PRelu", [layer.input, layer.weight("alpha")])],
  [
    "ThresholdedReLU",
    (layer) => layer.add("ThresholdedRelu", [layer.input], { alpha: { real: layer.number("theta", 1) } })
  ],
  ["Softmax", softmax],
  ["Conv1D", convolution(1)],
  ["Conv2D", convolution(2)],
  ["Conv3D", convolution(3)],
  ["DepthwiseConv2D", depthwise],
  ["SeparableConv2D", separable],
  ["Conv2DTranspose", transposedConvolution],
  ["MaxPooling1D", pool("MaxPool", 1)],
  ["MaxPooling2D", pool("MaxPool", 2)],
  ["AveragePooling1D", pool("AveragePool", 1)],
  ["AveragePooling2D", pool("AveragePool", 2)],
  ["GlobalMaxPooling1D", wholePool("ReduceMax", 1)],
  ["GlobalMaxPooling2D", wholePool("ReduceMax", 2)],
  ["GlobalAveragePooling1D", wholePool("ReduceMean", 1)],
  ["GlobalAveragePooling2D", wholePool("ReduceMean", 2)],
  ["BatchNormalization", batchNormalization],
  ["LayerNormalization", layerNormalization],
  ["Embedding", embedding],
  ["Add", merge("Add")],
  ["Subtract", merge("Sub")],
  ["Multiply", merge("Mul")],
  ["Maximum", merge("Max")],
  ["Minimum", merge("Min")],
  ["Average", average],
  ["Concatenate", concatenate],
  ["Flatten", flatten],
  ["Reshape", reshape],
  ["Permute", permute],
  ["ZeroPadding2D", zeroPadding],
  ["Rescaling", rescaling],
  ["Dropout", through],
  ["SpatialDropout1D", through],
  ["GaussianDropout", through],
  ["GaussianNoise", through],
  ["AlphaDropout", through]
])
