/**
 * Reductions over whole axes: y = Σ_axes x, max_axes x, argmax_axis x. Reduced axes keep length 1 (`keepDims` of ONNX); reshape drops them.
 */

import * as NdArray from "../NdArray.ts"
import type { Attributes, Primitive, Signature } from "../Primitive.ts"
import { show } from "../Shape.ts"
import { ShapeMismatch } from "../ShapeMismatch.ts"

const reduced =
  (operation: string) =>
  ([x]: ReadonlyArray<Signature>, attributes: Attributes) => {
    const axes = attributes.axes as ReadonlyArray<number>
    const wrong = axes.find((axis) => axis < 0 || axis >= x!.shape.length)
    if (wrong !== undefined) {
      throw new ShapeMismatch({ operation, expected: `a tensor with an axis ${wrong}`, came: show(x!.shape) })
    }
    return x!.shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
  }

const everyElement = ([x]: ReadonlyArray<ReadonlyArray<number>>): number => NdArray.size(x!)

export const sum: Primitive = {
  name: "sum",
  shape: reduced("sum"),
  derivative: (g, y) => [g.broadcastTo(y.operands[0]!.shape)],
  cost: everyElement,
  tolerance: 1e-5
}

/** The gradient is split evenly among equal maxima. */
export const max: Primitive = {
  name: "max",
  shape: reduced("max"),
  derivative: (g, y) => {
    const x = y.operands[0]!
    const axes = y.attributes.axes as ReadonlyArray<number>
    const chosen = x.equal(y.broadcastTo(x.shape)).float()
    return [chosen.mul(g.div(chosen.sum(axes)).broadcastTo(x.shape))]
  },
  cost: everyElement,
  tolerance: 0
}

/** The index of the first maximum along one axis. */
export const argMax: Primitive = {
  name: "argMax",
  shape: reduced("argMax"),
  dtype: () => "int",
  derivative: () => [undefined],
  cost: everyElement,
  tolerance: 0
}
