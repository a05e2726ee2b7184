/**
 * The paper's settings, shared by its four figures.
 */
import type { Contestant } from "./Contestant.ts"

/** The paper's 100 points, scored on 1,000 fresh ones. */
export const moons = { data: "moons-100", test: "moons:n=1000,noise=0.1,seed=2024" } as const

/** Figures 2 and 3: 2,42,100,100,42,1. */
export const shallow = { ...moons, hidden: "42,100,100,42", activation: "relu" } as const

/** Figures 4 and 5: a hundred hidden layers of 100 units. */
export const deep = { ...moons, hidden: "100x100", activation: "sigmoid" } as const

/** Every linear map relaxed, including the output's as in the prototype; the printed loss is then that of a free parameter. */
export const relaxing = (steps: number): Pick<Contestant, "name" | "plan" | "start"> => ({
  name: "RAI as the prototype",
  plan: `relax:${steps}:rprop=0.1:output`,
  start: "pytorch"
})

/** The same with the output uncut, as in eq. 4. */
export const equation4 = (steps: number): Pick<Contestant, "name" | "plan" | "start"> => ({
  name: "RAI as eq. 4",
  plan: `relax:${steps}:rprop=0.1`,
  start: "pytorch"
})

/** The prototype's backpropagation. */
export const backpropagating = (steps: number): Pick<Contestant, "name" | "plan" | "start"> => ({
  name: "backpropagation",
  plan: `backpropagate:${steps}:rprop=0.1`,
  start: "pytorch"
})

/** Backpropagation from a start that carries information through any depth, at a careful rate. */
export const wellScaled = {
  name: "backpropagation, well-scaled start",
  plan: "backpropagation",
  control: true
} as const
