/**
 * One forward sweep of closed-form local problems. With a start such as PyTorch's, all examples look alike after some eight maps, so auxiliaries at
 * the free run's predictions carry no information. The sweep supplies it: the stage's own random weights, made isometric on the span of the data,
 * carry each stage's input on into the range where the activation function hardly bends it.
 */
import { Effect } from "effect"
import type { Block } from "../circuit/Block.ts"
import * as Circuit from "../circuit/Circuit.ts"
import type { Arrays } from "../engine/Engine.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import * as Bend from "./Bend.ts"
import * as ForwardWalk from "./ForwardWalk.ts"

/**
 * Sweeps the circuit's hidden maps: returns auxiliaries, by the path of their map, and the weights nearest to the given ones that produce them.
 *
 *     c = a − mean a;  V the directions of c;  B = Vᵀ W;  T = L⁻¹ B, L Lᵀ = B Bᵀ;  z = γ c V T + o;  W ← W + V (γ T − B);  b ← o − mean(a) W
 *
 * with o the offset (0, and then a small one of each unit's own, where the function bends evenly about 0), and γ such that z − o has the spread, at which a stage bends as much as it may (`Bend`) times `bending`. x: [examples, inputs].
 */
export const make = Effect.fn("Sweep.make")(function* (
  circuit: Circuit.Circuit,
  parameters: Arrays,
  x: NdArray,
  { bending = 1 }: { readonly bending?: number } = {}
) {
  const { fit } = yield* Effect.promise(() => import("./Isometry.ts")) // loaded here with its linear algebra, which only a sweep needs
  const points = new Map<string, Bend.Point>()
  return yield* ForwardWalk.walk(circuit, parameters, x, (map) =>
    Effect.gen(function* () {
      if (map.index === map.count - 1) return
      // The next block may be another map or a residual sum, which bend nothing.
      const isFunction = map.next !== undefined && map.next.kind !== "residual" && !hasParameters(map.next)
      const next = isFunction ? map.next! : Circuit.identity
      const { kind } = next
      const known = points.get(kind) ?? (yield* Bend.point(next, Math.max(1, map.count - 2) / bending))
      points.set(kind, known)
      fit(map, known)
    })
  )
})

const hasParameters = ({ parameters }: Block): boolean => Object.keys(parameters).length > 0
