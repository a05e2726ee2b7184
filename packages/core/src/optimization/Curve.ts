/**
 * A factor that changes over the steps of a phase: for learning rates, and for the weight λ of the hidden energies.
 */

import * as Throwing from "../tensor/Throwing.ts"

/** Maps the share t of the phase that is done, 0 ≤ t < 1, to a factor. */
export interface Curve {
  /** Its name in `--plan`: `cosine`, `warmup0.1`. */
  readonly name: string
  readonly at: (t: number) => number
}

/** The factor at t; what a curve of one's own throws names it. */
export const factor = (curve: Curve, t: number): number => Throwing.at(`the curve ${curve.name}`, () => curve.at(t))

/** 1 throughout. */
export const constant: Curve = { name: "constant", at: () => 1 }

/** ½ (1 + cos πt): from 1 to 0 (Loshchilov & Hutter 2017). */
export const cosine: Curve = { name: "cosine", at: (t) => 0.5 * (1 + Math.cos(Math.PI * t)) }

/** 1 − t: from 1 to 0. */
export const linear: Curve = { name: "linear", at: (t) => 1 - t }

/** `end`ᵗ: geometrically from 1 to `end`, which is above 0; rises where `end` > 1. */
export const exponential = (end: number): Curve => ({
  name: `exponential${end}`,
  // 0⁰ is 1, but no ratio leads to 0.
  at: (t) => (end > 0 ? end ** t : Number.NaN)
})

/** Rises from 0 to 1 over the first `share` of the steps, then stays 1. */
export const warmUp = (share: number): Curve => ({ name: `warmup${share}`, at: (t) => Math.min(1, t / share) })

/** The product of both. */
export const times = (a: Curve, b: Curve): Curve => ({ name: `${a.name}*${b.name}`, at: (t) => a.at(t) * b.at(t) })

const simple: Readonly<Record<string, Curve>> = { constant, cosine, linear }

/** The curve of a name, or undefined if there is none. */
export const named = (name: string): Curve | undefined => {
  const [, word = "", number = ""] = /^([a-z]+)([\d.e-]*)$/.exec(name) ?? []
  if (name.includes("*")) {
    const curves = name.split("*").map(named)
    return curves.every((curve) => curve !== undefined) ? curves.reduce(times) : undefined
  }
  if (number === "") return Object.hasOwn(simple, word) ? simple[word] : undefined
  const value = Number(number)
  if (!(value > 0)) return undefined
  return word === "exponential" ? exponential(value) : word === "warmup" ? warmUp(value) : undefined
}
