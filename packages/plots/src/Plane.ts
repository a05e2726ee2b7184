/**
 * The plane of a circuit's two inputs, in the units of the columns that they come from.
 */
import { Dataset, type Engine, Metrics, type NdArray, Program, Score, ShapeMismatch, type Trained } from "@rai/core"
import { Effect } from "effect"

/** A range from low to high. */
export type Extent = readonly [low: number, high: number]

/** What the landscapes of one figure share: the rectangle that they cover, and its names. */
export interface Plane {
  /** Ranges of the first and the second input; [-3, 3] each by default. */
  readonly extents?: readonly [across: Extent, up: Extent]
  /** Whether the extents are a guess, since it is not known where the data lie; so are those by default. */
  readonly isAssumed?: boolean
  /** Number of cells along a side, n; 200 by default. */
  readonly grid?: number
  readonly inputNames?: readonly [string, string]
  readonly classNames?: ReadonlyArray<string>
}

/** An example: its two inputs and the number of its class, 0 for a regression. */
export interface Point {
  readonly x: number
  readonly y: number
  readonly label: number
}

const usual: Extent = [-3, 3]

/** The paper's plane: [-3, 3]², 100 × 100 points. */
export const paper = { extents: [usual, usual], grid: 100 } as const

/** The extents and grid of a plane, with defaults filled in. */
export const whole = ({ extents = paper.extents, grid = 200 }: Plane) => ({ extents, grid })

/**
 * The inputs at which to evaluate a circuit, float32 [n², 2]: the cell centres, row by row, lowest first. Throws `ShapeMismatch` where n is not a
 * whole number from 1.
 *
 * ```ts
 * import { Plane } from "@rai/plots"
 *
 * const inputs = Plane.inputs({ extents: [[-3, 3], [0, 30]], grid: 3 })
 * console.log(inputs.shape) // => [ 9, 2 ]
 * console.log(inputs.data.slice(0, 6)) // => Float32Array(6) [ -2, 5, 0, 5, 2, 5 ]
 * ```
 */
export const inputs = (plane: Plane = {}): NdArray.NdArray => {
  const data = Float32Array.from(centres(plane))
  return { shape: [data.length / 2, 2], data }
}

/** Cell centres in float64, because values that are large compared with their deviation keep few digits in float32. */
const centres = (plane: Plane): Float64Array => {
  const { extents, grid: n } = whole(plane)
  if (!Number.isInteger(n) || n < 1) {
    const [expected, advice] = ["a whole number of cells a side", "give a whole number such as 200"]
    throw new ShapeMismatch({ operation: "the plane's grid", expected, came: String(n), advice })
  }
  const centre = ([low, high]: Extent, cell: number): number => low + ((cell + 0.5) / n) * (high - low)
  const data = new Float64Array(n * n * 2)
  for (let i = 0; i < n * n; i++) data.set([centre(extents[0], i % n), centre(extents[1], Math.floor(i / n))], 2 * i)
  return data
}

/** What a trained circuit, or a model that stores one, records about its two inputs. */
export type Described = Pick<Trained.Trained, "inputNames" | "classNames" | "preprocessing">

/** How to convert an input z of the circuit to its raw column, mean + scale z; the identity for a column that is not standardised. */
const columns = ({ inputNames, preprocessing }: Described) => {
  if (inputNames.length !== 2) {
    const [expected, advice] = ["two inputs with names", "draw a circuit of two inputs"]
    throw new ShapeMismatch({ operation: "the plane", expected, came: String(inputNames.length), advice })
  }
  return inputNames.map((name) => {
    const column = preprocessing?.columns.find((of) => of.name === name)
    return column?._tag === "Number" ? column : { mean: 0, scale: 1 }
  })
}

/**
 * The plane on which to draw a circuit of two inputs: along each, [-3, 3] if its examples lie within and span at least 1, else their range with
 * a margin of an eighth on each side; for standardised columns in their own units, so that ±3 is three deviations either side of the mean. Without
 * examples, [-3, 3] is an assumption unless both columns are standardised. Throws `ShapeMismatch` unless there are two inputs.
 */
export const of = (described: Described, data?: Dataset.Dataset): Plane => {
  const own = columns(described)
  const [first, second] = own.map(({ mean, scale }, at): Extent => {
    const [low, high] = around(data === undefined ? [] : data.inputs.data.filter((_, i) => i % 2 === at))
    return [mean + scale * low, mean + scale * high]
  })
  const { classNames, inputNames } = described
  return {
    extents: [first!, second!],
    isAssumed: data === undefined && own.some(({ mean, scale }) => mean === 0 && scale === 1),
    inputNames: inputNames as readonly [string, string],
    ...(classNames && { classNames })
  }
}

const around = (values: ArrayLike<number>): Extent => {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < values.length; i++) [low, high] = [Math.min(low, values[i]!), Math.max(high, values[i]!)]
  const fills = low >= usual[0] && high <= usual[1] && high - low >= 1
  if (fills || values.length === 0) return usual
  const more = (high - low || 1) / 8
  return [low - more, high + more]
}

/** Probability of class 1 in the free run at each cell of the plane, [n²], lowest first; fails unless there are two inputs and two classes. */
export const probabilities = Effect.fn("Plane.probabilities")(function* (
  trained: Trained.Trained,
  plane: Plane = {}
): Effect.fn.Return<Float32Array, Engine.EngineFailed | ShapeMismatch, Engine.Engine> {
  const of = yield* Program.check(() => columns(trained))
  const cells = yield* Program.check(() => centres(plane))
  const data = Float32Array.from(cells, (value, i) => (value - of[i % 2]!.mean) / of[i % 2]!.scale)
  const logits = yield* Score.predict(trained, { shape: [data.length / 2, 2], data })
  const found = Metrics.probabilities(logits)
  if (trained.task === "regression" || found.shape[1] !== 2) {
    const came = trained.task === "regression" ? "a regression" : `${found.shape[1]} classes`
    const [expected, advice] = ["two classes", "draw a circuit that tells two classes apart"]
    return yield* new ShapeMismatch({ operation: "the plane", expected, came, advice })
  }
  return Float32Array.from(found.data.filter((_, i) => i % 2 === 1))
})

/** The examples of a data set as points in the plane, with their classes. Throws `ShapeMismatch` unless they have two inputs. */
export const points = (data: Dataset.Dataset): ReadonlyArray<Point> => {
  const [across, up] = columns(data)
  const [z, labels] = [data.inputs, Dataset.labels(data)]
  return Array.from({ length: z.shape[0]! }, (_, i) => ({
    x: across!.mean + across!.scale * z.data[2 * i]!,
    y: up!.mean + up!.scale * z.data[2 * i + 1]!,
    label: labels[i]!
  }))
}
