/** The relaxed objective again, written as plainly as eq. 4: turn by turn, with every parameter and every auxiliary as a separate input. */
import { Circuit, Cut, type Engine, Gradient, Loss, NdArray, Program, Segments, Tensor } from "@rai/core"
import { Effect } from "effect"
import type * as CircuitCases from "./CircuitCases.ts"

interface Turn {
  readonly path: string
  /**
   * A block, or an end of a combinator: where a residual block's skip connection leaves and returns, where the next of parallel branches begins,
   * and where branches are joined.
   */
  readonly at: (Circuit.Circuit & { readonly _tag: "Block" }) | "leaves" | "returns" | "next" | "joined"
  /** Common prefix of the parameters' names; `index` is the slice of their stacked arrays. */
  readonly stacked: string
  readonly index: number
}

const walk = (circuit: Circuit.Circuit, path = "", stacked = "", index = 0): ReadonlyArray<Turn> => {
  switch (circuit._tag) {
    case "Block":
      return [{ path, at: circuit, stacked, index }]
    case "Sequence":
      return circuit.children.flatMap((child, i) => walk(child, Circuit.join(path, i), Circuit.join(stacked, i), index))
    case "Repeat":
      return Array.from({ length: circuit.times }, (_, turn) =>
        walk(circuit.child, Circuit.join(path, turn), Circuit.join(stacked, "*"), index * circuit.times + turn)
      ).flat()
    case "Residual":
      return [
        { path, at: "leaves", stacked, index },
        ...walk(circuit.child, Circuit.join(path, 0), Circuit.join(stacked, 0), index),
        { path, at: "returns", stacked, index }
      ]
    case "Branch":
      return [
        { path, at: "leaves", stacked, index },
        ...circuit.children.flatMap((child, i) => [
          ...(i === 0 ? [] : [{ path, at: "next" as const, stacked, index }]),
          ...walk(child, Circuit.join(path, i), Circuit.join(stacked, i), index)
        ]),
        { path, at: "joined", stacked, index }
      ]
  }
}

/** Returns the `index`-th of an array's equal parts, each of `shape`. */
export const part = ({ data }: NdArray.NdArray, shape: ReadonlyArray<number>, index: number): NdArray.NdArray => {
  const size = NdArray.size(shape)
  return { shape, data: data.slice(index * size, (index + 1) * size) }
}

/** Where an input of the unrolled program lies in the stacked arrays. */
export interface Origin {
  readonly name: string
  readonly from: string
  readonly index: number
  readonly shape: ReadonlyArray<number>
}

const origins = (settings: CircuitCases.Settings, arrays: Engine.Arrays): ReadonlyArray<Origin> => {
  const { circuit, cut } = settings
  const parameters = walk(circuit).flatMap(({ at, index, path, stacked }) =>
    Object.entries(typeof at === "string" ? {} : at.parameters).map(([name, { shape }]) => ({
      name: Circuit.join(path, name),
      from: Circuit.join(stacked, name),
      index,
      shape
    }))
  )
  const auxiliaries = Segments.places(circuit, Cut.sites(circuit, cut)).flatMap((place) =>
    place.sites.map((site, index) => {
      const { shape } = arrays[`z/${place.name}`]!
      return { name: `z/${site}`, from: `z/${place.name}`, index, shape: place.stacked ? shape.slice(1) : shape }
    })
  )
  return [...parameters, ...auxiliaries]
}

/** Makes the program, its inputs sliced from the stacked arrays, and their origins; outputs `loss`, `output`, `residual/site`, `gradient/…`. */
export const make = Effect.fnUntraced(function* (settings: CircuitCases.Settings, arrays: Engine.Arrays) {
  const { circuit, cut, energy = "mean", λ = 1 } = settings
  const sites = Cut.sites(circuit, cut)
  const own = origins(settings, arrays)
  const inputs: Engine.Arrays = {
    ...Object.fromEntries(own.map(({ from, index, name, shape }) => [name, part(arrays[from]!, shape, index)])),
    x: arrays.x!,
    y: arrays.y!
  }
  const signature = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]))
  const program = yield* Program.make(signature, (given: Readonly<Record<string, Tensor.Tensor>>) => {
    const residuals: Record<string, Tensor.Tensor> = {}
    let h = given.x!
    let hidden: Tensor.Tensor | undefined
    const around: Array<Tensor.Tensor> = []
    const beside = new Map<string, ReadonlyArray<Tensor.Tensor>>()
    const through = (at: Turn["at"], path: string): Tensor.Tensor => {
      if (at === "returns") return around.pop()!.add(h)
      if (at === "leaves") return around[around.push(h) - 1]!
      if (at === "next") {
        beside.set(path, [...(beside.get(path) ?? []), h])
        return around.at(-1)!
      }
      if (at === "joined") {
        around.pop()
        return Tensor.concat([...(beside.get(path) ?? []), h], 1)
      }
      const names = Object.keys(at.parameters)
      return at.apply(h, Object.fromEntries(names.map((name) => [name, given[Circuit.join(path, name)]!])))
    }
    for (const { at, path } of walk(circuit)) {
      const ẑ = through(at, path)
      if (at === "leaves") continue
      if (at === "next") {
        h = ẑ
        continue
      }
      const z = given[`z/${path}`]
      if (sites.has(path) && z !== undefined) {
        const squared = z.sub(ẑ).square()
        const L_h = energy === "mean" ? squared.mean() : squared.total()
        hidden = hidden === undefined ? L_h : hidden.add(L_h)
        residuals[`residual/${path}`] = squared.mean()
      }
      h = sites.has(path) ? z! : ẑ
    }
    return { loss: Loss.meanSquaredError(h, given.y!).add(hidden!.mul(λ)), output: h, ...residuals }
  })
  const names = own.map(({ name }) => name)
  return { program: yield* Gradient.make({ of: "loss", inputs: names })(program), inputs, origins: own }
})
