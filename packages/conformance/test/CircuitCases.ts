/** Makes cases of circuits: blocks, losses, and the relaxed objective under many patterns of cuts. */
import {
  Circuit,
  Cut,
  type Engine,
  Evaluation,
  HiddenLoss,
  Loss,
  NdArray,
  RelaxedObjective,
  Segments,
  type Shape,
  type Tensor
} from "@rai/core"
import { Case, Numbers } from "../src/index.ts"

/** Returns random parameters for a circuit, small enough to keep activations in their curved range. */
export const parameters = (circuit: Circuit.Circuit, seed: number): Engine.Arrays =>
  Object.fromEntries(
    Object.entries(Circuit.parameters(circuit)).map(([name, { shape }], i) => [
      name,
      Numbers.array(shape, seed + i, { domain: name.endsWith("variance") ? Numbers.positive : [-1, 1], turn: 3 })
    ])
  )

/** Returns random examples: [batch, width]. */
export const examples = (batch: number, width: number, seed: number): NdArray.NdArray =>
  Numbers.array([batch, width], seed + 50, { domain: [-2, 2] })

/** Makes a case of a circuit's free run on random examples. */
export const block = (name: string, circuit: Circuit.Circuit, width: number, batch = 3, seed = 1): Case.Case => {
  const θ = parameters(circuit, seed)
  const inputs: Engine.Arrays = { ...θ, x: examples(batch, width, seed) }
  return Case.make(
    name,
    inputs,
    (given) => ({ output: Evaluation.evaluate(circuit, (parameter) => given[parameter]!, given.x!) }),
    { batched: ["x"] }
  )
}

/** Settings of a relaxed case. */
export interface Settings {
  readonly circuit: Circuit.Circuit
  readonly cut: Cut.Cut
  readonly inputs: number
  readonly outputs: number
  readonly batch?: number
  readonly λ?: number
  readonly energy?: RelaxedObjective.Energy
  readonly seed?: number
}

/** Finds the shapes of the auxiliaries by a free run on tensors. */
export const auxiliaryShapes = ({
  batch = 3,
  circuit,
  cut,
  inputs
}: Settings): Readonly<Record<string, Shape.Shape>> => {
  const sites = Cut.sites(circuit, cut)
  const found = new Map<string, Shape.Shape>()
  Case.make("shapes", { ...parameters(circuit, 1), x: NdArray.full([batch, inputs], 0) } as Engine.Arrays, (given) => ({
    output: Evaluation.evaluate(circuit, (name) => given[name]!, given.x!, {
      sites,
      onCut: (site, prediction) => {
        found.set(site, prediction.shape)
        return prediction
      }
    })
  }))
  return Object.fromEntries(
    Segments.places(circuit, sites).map((place) => {
      const own = found.get(place.sites[0]!)!
      return [place.name, place.stacked ? [place.sites.length, ...own] : own]
    })
  )
}

/** Returns all inputs of the relaxed objective as arrays: parameters, auxiliaries as `z/place`, x and y. */
export const arrays = (settings: Settings, θ = parameters(settings.circuit, settings.seed ?? 1)): Engine.Arrays => {
  const { batch = 3, inputs, outputs, seed = 1 } = settings
  const z = Object.entries(auxiliaryShapes(settings)).map(([place, shape], i) => [
    `z/${place}`,
    Numbers.array(shape as ReadonlyArray<number>, seed + 70 + i, { domain: [-1.5, 1.5], turn: 2 })
  ])
  return {
    ...θ,
    ...Object.fromEntries(z),
    x: examples(batch, inputs, seed),
    y: Numbers.array([batch, outputs], seed + 51, { domain: [0, 1] })
  }
}

/** Makes a case of the relaxed objective with the outputs `loss`, `output` and `residuals`. */
export const relaxed = (name: string, settings: Settings, θ?: Engine.Arrays): Case.Case => {
  const { circuit, cut, energy = "mean", λ = 1 } = settings
  const relaxation = { sites: Cut.sites(circuit, cut), hidden: HiddenLoss.squared, λ, energy }
  const formula = (given: Readonly<Record<string, Tensor.Tensor>>) => {
    const θ = (parameter: string) => given[parameter]!
    const z = (place: string) => given[`z/${place}`]!
    const found = RelaxedObjective.make(circuit, relaxation, Loss.meanSquaredError, θ, z, given.x!, given.y!)
    return { loss: found.loss, output: found.output, residuals: found.residuals! }
  }
  return Case.make(name, arrays(settings, θ), formula)
}
