/**
 * Experiments small enough for a test: their data and engine.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { TfjsEngine } from "@rai/core"
import type { Contestant } from "@rai/experiments"
import { Layer } from "effect"

export const here = Layer.mergeAll(TfjsEngine.layerNative, NodeServices.layer)

export const moons = {
  data: "moons:n=40,noise=0.1,seed=1",
  test: "moons:n=100,noise=0.1,seed=2",
  hidden: "8x3",
  activation: "tanh"
} as const

export const relaxed: Contestant.Contestant = { ...moons, name: "RAI", plan: "relax:12:rprop=0.01" }

export const control: Contestant.Contestant = {
  ...moons,
  name: "backpropagation",
  plan: "backpropagate:12:rprop=0.01",
  control: true
}
