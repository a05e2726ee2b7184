/**
 * A case: a program with inputs, named for what it shows. Cases are written once; every engine runs them.
 */
import { type Engine, type NdArray, Program, type Shape, type Tensor } from "@rai/core"

/** One program with the arrays that it runs on. */
export interface Case {
  readonly name: string
  readonly program: Program.Program
  readonly inputs: Engine.Arrays
  /** Whether every output can be differentiated at these inputs. */
  readonly smooth: boolean
  /** How far engines may differ: |a − b| ≤ tolerance · (1 + |b|). */
  readonly tolerance: number
}

/** What a case says beyond its formula. */
export interface Options {
  /** The inputs whose first axis is the named dimension `batch`. */
  readonly batched?: ReadonlyArray<string>
  readonly smooth?: boolean
  /** Without it, the largest of the tolerances of the program's primitives. */
  readonly tolerance?: number
}

/**
 * The case of a formula over arrays; their shapes are the program's.
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

/** The largest tolerance of a program's primitives. */
export const toleranceOf = (program: Program.Program): number =>
  Math.max(0, ...program.nodes.map((node) => node.primitive.tolerance))

/** The names of the primitives that a case runs. */
export const primitives = ({ program }: Case): ReadonlySet<string> =>
  new Set(program.nodes.map((node) => node.primitive.name))

/** The lengths that a case's arrays give to the named dimensions. */
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
