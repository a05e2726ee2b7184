/**
 * One call of a layer as its row sees it: inputs, settings and weights, and the graph that operators are written to.
 */
import { NdArray } from "@rai/core"
import type { Attributes } from "../Model.ts"
import { Refused } from "../read/Refused.ts"
import type { Writer } from "../Writer.ts"

/** What a layer returns: a value of the graph and its number of axes, the batch axis included. */
export interface Value {
  readonly name: string
  readonly rank: number
  /** Whether it comes from a layer that is not supported, so that its number of axes is a guess. */
  readonly isUnsure?: boolean
}

/** One call of a layer. */
export class LayerCall {
  readonly name: string
  readonly inputs: ReadonlyArray<Value>
  private readonly config: Readonly<Record<string, unknown>>
  private readonly weights: ReadonlyMap<string, NdArray.NdArray>
  private readonly writer: Writer

  constructor(parts: {
    readonly name: string
    readonly inputs: ReadonlyArray<Value>
    readonly config: Readonly<Record<string, unknown>>
    readonly weights: ReadonlyMap<string, NdArray.NdArray>
    readonly writer: Writer
  }) {
    this.name = parts.name
    this.inputs = parts.inputs
    this.config = parts.config
    this.weights = parts.weights
    this.writer = parts.writer
  }

  /** The only input; throws `Refused` where there are more or none. */
  get input(): Value {
    const [input, ...others] = this.inputs
    if (input === undefined || others.length > 0) throw new Refused(`it takes ${this.inputs.length} inputs`, true)
    return input
  }

  /** Adds an operator, named after the layer, whose result has `rank` axes. */
  add(
    operator: string,
    inputs: ReadonlyArray<Value | string>,
    attributes: Attributes = {},
    rank = this.inputs[0]!.rank
  ): Value {
    const names = inputs.map((input) => (typeof input === "string" ? input : input.name))
    const output = this.writer.unique(`${this.name}/${operator}`)
    return { name: this.writer.node({ operator, inputs: names, attributes }, output), rank }
  }

  /** Adds a weight to the model, its axes in another order or in another shape, and returns its name. */
  weight(
    what: string,
    order?: ReadonlyArray<number>,
    shape?: (of: ReadonlyArray<number>) => ReadonlyArray<number>
  ): string {
    return this.writer.once(`${this.name}.${what}`, (name) => {
      const given = this.given(what)
      if (order !== undefined && order.length !== given.shape.length) {
        throw new Refused(`its ${what} is [${given.shape}], which has not ${order.length} axes`, true)
      }
      const ordered = order === undefined ? given : transposed(given, order)
      this.writer.array(name, shape === undefined ? ordered : { data: ordered.data, shape: shape(ordered.shape) })
    })
  }

  has(what: string): boolean {
    return this.find(what) !== undefined
  }

  /** Length of a weight along an axis. */
  lengthOf(what: string, axis: number): number {
    return this.given(what).shape[axis] ?? 0
  }

  private given(what: string): NdArray.NdArray {
    const found = this.find(what)
    if (found === undefined) throw new Refused(`its weight «${this.name}/${what}» is missing`, true)
    return found
  }

  /** Finds a weight by its layer's name, whatever prefix stands before that. */
  private find(what: string): NdArray.NdArray | undefined {
    const own = `${this.name}/${what}`
    const found = this.weights.get(own)
    if (found !== undefined) return found
    for (const [name, array] of this.weights) if (name.endsWith(`/${own}`)) return array
    return undefined
  }

  integers(numbers: ReadonlyArray<number>): string {
    return this.writer.integers(numbers)
  }

  /** Adds one number as part of the formula. */
  real(value: number): string {
    return this.writer.float(value)
  }

  /** Adds `n` copies of a value, which are never trained. */
  filled(value: number, n: number): string {
    return this.add("Expand", [this.real(value), this.integers([n])], {}, 1).name
  }

  number(name: string, otherwise?: number): number {
    const value = this.config[name] ?? otherwise
    if (typeof value === "number") return value
    throw new Refused(`its ${name} is ${JSON.stringify(value)} instead of a number`, true)
  }

  text(name: string, otherwise: string): string {
    const value = this.config[name] ?? otherwise
    if (typeof value === "string") return value
    // An activation function may be serialised as an object that holds its name.
    const { class_name, config } = value as { readonly class_name?: string; readonly config?: unknown }
    return class_name === "function" ? String(config) : (class_name ?? JSON.stringify(value)).toLowerCase()
  }

  flag(name: string, otherwise: boolean): boolean {
    return (this.config[name] ?? otherwise) === true
  }

  /** A setting of `n` integers; a single one stands for all. */
  list(name: string, n: number, otherwise: ReadonlyArray<number> = []): ReadonlyArray<number> {
    const value = this.config[name] ?? otherwise
    const numbers = typeof value === "number" ? Array<number>(n).fill(value) : value
    const isList = Array.isArray(numbers) && numbers.length === n && numbers.every(Number.isSafeInteger)
    if (isList) return numbers
    throw new Refused(`its ${name} is ${JSON.stringify(value)} instead of ${n} whole numbers`, true)
  }

  /** A setting, whatever its type. */
  setting(name: string): unknown {
    return this.config[name]
  }
}

const transposed = ({ data, shape }: NdArray.NdArray, order: ReadonlyArray<number>): NdArray.NdArray => {
  const to = order.map((axis) => shape[axis]!)
  const strides = shape.map((_, axis) => NdArray.size(shape.slice(axis + 1)))
  const steps = order.map((axis) => strides[axis]!)
  const moved = new Float32Array(data.length)
  const at = to.map(() => 0)
  let from = 0
  for (let i = 0; i < moved.length; i++) {
    moved[i] = data[from]!
    for (let axis = to.length - 1; axis >= 0; axis--) {
      from += steps[axis]!
      if (++at[axis]! < to[axis]!) break
      from -= steps[axis]! * to[axis]!
      at[axis] = 0
    }
  }
  return { shape: to, data: moved }
}
