/**
 * Random numbers of one step: noise on auxiliaries, and the numbers that blocks draw. Equal seed and step give equal numbers.
 */
import { Record } from "effect"
import type { Arrays } from "../engine/Engine.ts"
import * as Pseudorandom from "../random/Pseudorandom.ts"
import * as NdArray from "../tensor/NdArray.ts"
import type * as Phase from "./Phase.ts"
import type { PhaseState } from "./PhaseState.ts"

/** Returns the random numbers by name, in the shapes that the phase's state declares. */
export const values = (
  { noise, uniforms }: Pick<PhaseState, "noise" | "uniforms">,
  phase: Phase.Phase,
  seed: number,
  step: number
): Arrays => {
  const deviation = phase.kind === "relax" ? (phase.noise ?? 0) : 0
  const random = (name: string) => Pseudorandom.stream(seed, `${name} ${step}`)
  return {
    ...Record.map(noise, (shape, name) =>
      NdArray.make(
        shape,
        random(name)
          .normals(NdArray.size(shape))
          .map((ξ) => ξ * deviation)
      )
    ),
    ...Record.map(uniforms, (shape, name) => NdArray.make(shape, random(name).uniforms(NdArray.size(shape), 0, 1)))
  }
}
