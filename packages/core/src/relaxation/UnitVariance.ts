/**
 * Layer-sequential unit variance (Mishkin & Matas 2016): divides the weight of each hidden map by the spread of its predictions, input first.
 */
import { Effect } from "effect"
import type * as Circuit from "../circuit/Circuit.ts"
import type { Arrays } from "../engine/Engine.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import * as ForwardWalk from "./ForwardWalk.ts"

/** Returns the parameters with each hidden map's predictions at variance 1 over all examples and units; x: [examples, inputs]. */
export const make = (circuit: Circuit.Circuit, parameters: Arrays, x: NdArray) =>
  Effect.map(
    ForwardWalk.walk(circuit, parameters, x, (map) =>
      Effect.sync(() => {
        if (map.index === map.count - 1) return
        const z = ForwardWalk.affine(map.input, map.weight, map.bias).data
        const mean = z.reduce((total, value) => total + value, 0) / z.length
        const deviation = Math.sqrt(z.reduce((total, value) => total + (value - mean) ** 2, 0) / z.length)
        // Predictions that differ by rounding alone are alike.
        const spread = deviation > 1e-6 * Math.abs(mean) ? deviation : 1
        map.weight.forEach((w, i) => {
          map.weight[i] = w / spread
        })
      })
    ),
    ({ parameters: found }) => found
  )
