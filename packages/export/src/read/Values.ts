/**
 * The values of a graph by name, as far as it has been read: those that are known while it is read, and formulas over inputs and arrays.
 */
import { Engine, type NdArray, Program, ReferenceEngine, Shape, Tensor } from "@rai/core"
import { Effect } from "effect"
import * as Naming from "../Naming.ts"
import type { GraphProto, TensorProto } from "../onnx_pb.ts"
import * as Tensors from "./Tensors.ts"
import type * as Value from "./Value.ts"

/** What a graph starts from. */
export interface Given {
  /** The model's file, beside which external data lies. */
  readonly file: string
  /** Shapes of the inputs that each run supplies. */
  readonly inputs: Readonly<Record<string, Shape.Shape>>
  /** Inputs supplied already: their shapes and numbers are known, but do not count as constants of the model. */
  readonly given?: Readonly<Record<string, Tensors.Decoded>>
}

/** An array of the model that its program takes as an input: an initialiser, or other numbers. */
export interface Embedded {
  readonly array: NdArray.NdArray
  readonly isInitialiser: boolean
}

/** Most numbers of a constant result that is computed while the graph is read. */
export const mostFolded = 2 ** 16

/** Whether a record has an entry for a name of the model, which may be one that every object inherits, such as `constructor`. */
export const has = (record: object | undefined, name: string): boolean =>
  record !== undefined && Object.hasOwn(record, name)

/** The values of a graph. */
export class Values {
  /** Inputs of the program by name, its arrays among them. */
  readonly inputs: Map<string, Tensor.Tensor>
  readonly arrays = new Map<string, Embedded>()
  private readonly settings: Given
  private readonly initialisers: ReadonlyMap<string, TensorProto>
  private readonly values = new Map<string, Value.Value>()
  private readonly unique = Naming.make()

  constructor(graph: GraphProto, settings: Given) {
    this.settings = settings
    this.initialisers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
    this.inputs = new Map(Object.entries(settings.inputs).map(([name, shape]) => [name, Tensor.input(name, shape)]))
    for (const name of this.inputs.keys()) this.unique(name)
  }

  /** Sets the value of a name. */
  set(name: string, value: Value.Value): void {
    this.values.set(name, value)
  }

  /** Returns the value of a name; none of the empty one. */
  get(name: string): Value.Value | undefined {
    if (name === "") return undefined
    const known: Value.Value = this.values.get(name) ?? this.leaf(name)
    this.values.set(name, known)
    return known
  }

  /** Adds an array as an input of the program, under a unique name. */
  embed(wanted: string, array: NdArray.NdArray, isInitialiser: boolean): Tensor.Tensor {
    const name = this.unique(wanted)
    this.arrays.set(name, { array, isInitialiser })
    const input = Tensor.input(name, array.shape)
    this.inputs.set(name, input)
    return input
  }

  /** A value whose numbers are known; it becomes part of the program only when its tensor is asked for. */
  fromNumbers(name: string, { array, kind }: Tensors.Decoded, isFixed: boolean, isInitialiser = false): Value.Value {
    let tensor: Tensor.Tensor | undefined
    const make = (): Tensor.Tensor => {
      const [first] = array.data
      const isOne =
        array.data.length > 0 &&
        (isFixed || array.shape.length === 0) &&
        array.data.every((n: number) => Object.is(n, first))
      const numbers =
        isOne && !has(this.settings.given, name)
          ? Tensor.constant(first!).broadcastTo(array.shape)
          : this.embed(name, array, isInitialiser)
      return kind === "bool" ? numbers.greater(0.5) : numbers
    }
    return {
      kind,
      shape: array.shape,
      known: array,
      isFixed,
      tensor: () => {
        tensor ??= make()
        return tensor
      }
    }
  }

  private leaf(name: string): Value.Value {
    if (has(this.settings.given, name)) return this.fromNumbers(name, this.settings.given![name]!, false)
    const input = has(this.settings.inputs, name) ? this.inputs.get(name) : undefined
    if (input !== undefined) return { kind: "float", shape: input.shape, tensor: () => input, isFixed: false }
    const decoded = Tensors.decode(this.initialisers.get(name)!, this.settings.file)
    // Integers, conditions and scalars are constants; other floating-point arrays are trained.
    const isFixed = decoded.kind !== "float" || decoded.array.shape.length === 0
    return this.fromNumbers(name, decoded, isFixed, decoded.kind === "float")
  }

  /** Computes a formula over the model's arrays; undefined where it is too large or needs anything else. */
  readonly computed = Effect.fnUntraced(function* (
    this: Values,
    tensor: Tensor.Tensor
  ): Effect.fn.Return<NdArray.NdArray | undefined> {
    const program = Program.fromTensors({}, { value: tensor })
    if (program.nodes.some(({ shape }) => !(Shape.count(shape).known <= 16 * mostFolded))) return undefined
    const names = program.nodes.flatMap(({ attributes, primitive }) =>
      primitive.name === "input" ? [attributes.name as string] : []
    )
    if (!names.every((name) => this.arrays.has(name))) return undefined
    const arrays = Object.fromEntries(names.map((name) => [name, this.arrays.get(name)!.array]))
    const inputs = Object.fromEntries(names.map((name) => [name, this.inputs.get(name)!]))
    const { value } = yield* Effect.orDie(
      Effect.provide(Engine.run({ ...program, inputs }, arrays), ReferenceEngine.layer)
    )
    return value
  })
}
