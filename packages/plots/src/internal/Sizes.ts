/**
 * The sizes of a circuit's blocks, found by evaluating it once without numbers.
 */
import { type Block, Circuit, Cost, Evaluation, Program, type ShapeMismatch, Tensor } from "@rai/core"
import { Effect } from "effect"

/** A block's output shape for one example, and its cost. */
export interface Size {
  readonly shape: ReadonlyArray<number>
  readonly flops: number
}

/** Sizes by the path of each site. */
export const of = Effect.fnUntraced(function* (
  circuit: Circuit.Circuit
): Effect.fn.Return<ReadonlyMap<string, Size>, ShapeMismatch> {
  const signature = Circuit.signature(circuit)
  const sites = Circuit.sites(circuit)
  const inputs = new Map<string, Tensor.Tensor>()
  const outputs = new Map<string, Tensor.Tensor>()
  yield* Program.check(() =>
    Evaluation.evaluate(
      circuit,
      (name) => Tensor.input(name, signature[name]!),
      Tensor.input("x", [1, Circuit.inputs(circuit)]),
      {
        sites: new Set(sites.map(({ path }) => path)),
        onInput: (path, z) => inputs.set(path, z),
        onCut: (path, ẑ) => {
          outputs.set(path, ẑ)
          return ẑ
        }
      }
    )
  )
  const shapeOf = (tensor: Tensor.Tensor) => tensor.shape as ReadonlyArray<number>
  const cost = (block: Block.Block, z: Tensor.Tensor) => {
    const θ = Object.entries(block.parameters).map(([name, { shape }]) => [name, Tensor.input(name, shape)] as const)
    const y = block.apply(Tensor.input("z", z.shape), Object.fromEntries(θ))
    return Cost.cost(Program.fromTensors({}, { y })).flops
  }
  return new Map(
    sites.map(({ block, path }) => {
      const [z, y] = [inputs.get(path), outputs.get(path)!]
      return [path, { shape: shapeOf(y).slice(1), flops: z === undefined ? 0 : cost(block, z) }]
    })
  )
})
