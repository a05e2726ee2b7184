/**
 * A case: a program with its inputs, named for what it tests. Each case is written once and run by every engine.
 */
import { type Engine, type NdArray, Program, type Shape, type Tensor } from "@rai/core"

/** A program and the arrays to run it on. */
export interface Case {
  readonly name: string
  readonly program: Program.Program
  readonly inputs: Engine.Arrays
  /** Whether every output is differentiable at these inputs. */
  readonly smooth: boolean
  /** How far an engine may differ from the reference: |a − b| ≤ tolerance · (1 + |b|). */
  readonly tolerance: number
}

/** Options of a case. */
export interface Options {
  /** Names of the inputs whose first axis is the named dimension `batch`. */
  readonly batched?: ReadonlyArray<string>
  readonly smooth?: boolean
  /** Defaults to the largest tolerance of the program's primitives. */
  readonly tolerance?: number
}

/**
 * Makes a case from a formula and its input arrays, whose shapes become those of the program's inputs.
 *
 * ```ts
 * import { Case } from "@rai/conformance"
 * import { NdArray } from "@rai/core"
 *
 * const doubled = Case.make("x + x", { x: NdArray.make([2], [1, 2]) }, ({ x }) => ({ y: x.add(x) }))
 * doubled.tolerance // => 0.000001
 * ```
 */
export const make = <A extends Engine.Arrays>(
  name: string,
  inputs: A,
  formula: (given: { readonly [K in keyof A]: Tensor.Tensor }) => Program.Program["outputs"],
  { batched = [], smooth = true, tolerance }: Options = {}
): Case => {
  const given = Program.inputs(
    Object.fromEntries(Object.entries(inputs).map(([key, array]) => [key, typeOf(array, batched.includes(key))]))
  ) as { readonly [K in keyof A]: Tensor.Tensor }
  const program = Program.fromTensors(given, formula(given))
  return { name, program, inputs, smooth, tolerance: tolerance ?? toleranceOf(program) }
}

/** Returns the largest tolerance of a program's primitives. */
export const toleranceOf = (program: Program.Program): number =>
  Math.max(0, ...program.nodes.map((node) => node.primitive.tolerance))

/** Returns the names of the primitives that a case runs. */
export const primitives = ({ program }: Case): ReadonlySet<string> =>
  new Set(program.nodes.map((node) => node.primitive.name))

/** Returns the lengths that a case's arrays give to the program's named dimensions. */
export const lengths = ({ inputs, program }: Case): ReadonlyMap<string, number> =>
  new Map(
    Object.entries(program.inputs).flatMap(([name, { shape }]) =>
      shape.flatMap((n, axis) => (typeof n === "string" ? [[n, inputs[name]!.shape[axis]!] as const] : []))
    )
  )

const typeOf = ({ data, shape }: NdArray.NdArray, batched: boolean): Program.Signature[string] => {
  const named: Shape.Shape = batched ? ["batch", ...shape.slice(1)] : shape
  const dtype = data instanceof Uint8Array ? "bool" : data instanceof Int32Array ? "int" : "float"
  return dtype === "float" ? named : { shape: named, dtype }
}
