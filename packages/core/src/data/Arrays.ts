/**
 * Data sets from array files, IDX and .npy: inputs in one file, targets in another.
 */
import { Effect, FileSystem, Stream } from "effect"
import { type NdArray, size } from "../tensor/NdArray.ts"
import * as ArrayFile from "./ArrayFile.ts"
import * as ArrayLabels from "./ArrayLabels.ts"
import type * as Cells from "./Cells.ts"
import { DataInvalid } from "./DataInvalid.ts"
import * as Frame from "./Frame.ts"
import * as Idx from "./Idx.ts"
import * as Npy from "./Npy.ts"
import * as PartSize from "./PartSize.ts"
import type * as Preprocessing from "./Preprocessing.ts"
import type * as Targets from "./Targets.ts"

/** Options for reading array files. */
export interface Options extends Pick<Preprocessing.Rules, "missing"> {
  /** The labels file; see `frame` for the default. */
  readonly labels?: string | undefined
  /** Two distinct labels make `binary` and more make `classes`, unless this says otherwise. */
  readonly task?: Targets.Task | undefined
  /** The classes in order, if known; else those found in the file. */
  readonly classNames?: ReadonlyArray<string> | undefined
}

/** Options for reading array files in parts. */
export interface StreamOptions extends Options {
  /** Number of examples per part, 1,024 by default; the last part may have fewer. */
  readonly rows?: number | undefined
}

const npy = /\.npy(?:\.gz)?$/i
const idx = /(?:\.idx|[.-]idx\d-[a-z]+)(?:\.gz)?$/i

/** Whether a text names an array file: .npy, .idx, or an MNIST-style name ending for instance in idx3-ubyte; each plain or gzipped. */
export const isFile = (text: string): boolean => npy.test(text) || idx.test(text)

const formatOf = (path: string): ArrayFile.Format => (npy.test(path) ? Npy.format : Idx.format)

/**
 * Reads the examples of an array file, one per entry along its first axis: an image with one number per pixel, or channels × height × width,
 * becomes the row that `Circuit.unflatten` takes. Image pixels of one byte each become x / 255, in [0, 1]. Labels are whole numbers, or values for
 * `regression`, from the given file, else from the one whose name corresponds: `labels` for `images` and `idx1` for `idx3` as in MNIST
 * (`train-images-idx3-ubyte.gz`), `y` for `X` as is usual with scikit-learn (`X_train.npy`); any other .npy file holds them in its last column.
 * Fails, saying where, if the files are invalid or do not match each other.
 *
 * ```ts
 * import { Arrays, Dataset, Frame, Preprocessing } from "@rai/core"
 * import { Effect, FileSystem, Stream } from "effect"
 *
 * const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 0)
 * const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 3)
 * const files = FileSystem.layerNoop({
 *   exists: () => Effect.succeed(true),
 *   stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
 *   stream: (path) => Stream.make(path.includes("labels") ? labels : images)
 * })
 * const program = Effect.gen(function*() {
 *   const frame = yield* Arrays.frame("train-images-idx3-ubyte")
 *   return yield* Frame.toDataset(frame, yield* Preprocessing.fit(frame))
 * })
 * const data = await Effect.runPromise(program.pipe(Effect.provide(files)))
 * data.classNames // => ["3", "7"]
 * Array.from(Dataset.labels(data)) // => [1, 0]
 * data.inputs.data[1] // => 1
 * ```
 */
export const frame = Effect.fn("Arrays.frame")(function* (path: string, options: Options = {}) {
  const labels = options.labels ?? (yield* labelsBeside(path))
  const array = scaled(yield* ArrayFile.read(formatOf(path), path))
  return labels === undefined ? yield* withTargets(path, array, options) : yield* labelled(path, array, labels, options)
})

/**
 * Reads the inputs of an array file, without labels. `names` are the columns used in training, which an array provides by position; fails if
 * training used images and the file has rows of bytes, or the other way round, since their scales differ.
 */
export const inputs = Effect.fn("Arrays.inputs")(function* (path: string, names: ReadonlyArray<string> = []) {
  const rows = yield* ArrayFile.read(formatOf(path), path)
  const raw = cellsOf(path, scaled(rows))
  if (names.length !== raw.columns.length) return raw
  const [own, other] = isImage(rows) ? [pixel(0), place(0)] : [place(0), pixel(0)]
  if (rows.header.element === "u1" && names[0] === other) {
    const came = `[${rows.header.shape.join(",")}] of bytes came`
    return yield* own === pixel(0)
      ? new DataInvalid({
          source: path,
          expected: "rows of bytes, taken as they are, as in training",
          came: `${came}, images, which are x / 255`,
          advice: "flatten the array"
        })
      : new DataInvalid({
          source: path,
          expected: "images, whose bytes are x / 255, as in training",
          came,
          advice: "give it as [examples, height, width], or divide it by 255"
        })
  }
  return { ...raw, columns: names.map((name) => ({ name })) }
})

/**
 * Reads the examples of `frame` part by part, in the file's order, each part with all classes: for files larger than memory, of which one part and
 * all labels are in memory.
 */
export const stream = (
  path: string,
  options: StreamOptions = {}
): Stream.Stream<Frame.Frame, DataInvalid, FileSystem.FileSystem> =>
  Stream.filter(everyPart(path, options), (part) => Frame.examples(part) > 0)

/** The parts of `stream`, and those whose examples are all left out for a missing value. */
export const everyPart = (
  path: string,
  options: StreamOptions = {}
): Stream.Stream<Frame.Frame, DataInvalid, FileSystem.FileSystem> => Stream.unwrap(parts(path, options))

const parts = Effect.fnUntraced(function* (path: string, { rows = PartSize.byDefault, ...options }: StreamOptions) {
  yield* PartSize.check(path, rows)
  const labels = options.labels ?? (yield* labelsBeside(path))
  if (labels === undefined) {
    const expected = "a file of labels beside one that is read in parts"
    return yield* new DataInvalid({ source: path, expected, came: "none came", advice: "name it as the labels" })
  }
  const { array: given } = yield* ArrayFile.read(formatOf(labels), labels)
  const targets = yield* ArrayLabels.targets(labels, given, options, gapsIn(options, given))
  let from = 0
  return ArrayFile.rows(formatOf(path), path, rows).pipe(
    Stream.mapEffect(
      Effect.fnUntraced(function* (part) {
        const array = scaled(part)
        yield* fitting(path, part.header.shape[0] ?? 1, labels, given)
        const [first, taken] = [from, array.shape[0]!]
        from += taken
        const own = (of: NdArray): NdArray => {
          const row = size(of.shape.slice(1))
          return { shape: [taken, ...of.shape.slice(1)], data: of.data.subarray(first * row, from * row) }
        }
        const raw = Frame.of({ ...cellsOf(path, array), ...targets, targets: own(targets.targets) })
        return without(raw, gapsIn(options, array, own(given)))
      })
    )
  )
})

/** Finds the labels file that corresponds to an inputs file by name; fails where the name implies one that does not exist. */
const labelsBeside = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const [, folder = "", name = ""] = /^(.*[\\/])?([^\\/]*)$/.exec(path) ?? []
  const other = name.includes("images")
    ? name.replace("images", "labels").replace(/idx\d/, "idx1")
    : name.replace(/^X(?=[_.-])/, "y").replace(/^x(?=[_.-])/, "y")
  const expected = "a file of labels"
  const advice = "name it as the labels"
  const isThere = (file: string) => Effect.orElseSucceed(fs.exists(file), () => false)
  if (other === name) {
    const like = folder + name.replace(/^X|(?<=[_.-])X(?=[_.-])/, "y")
    if (npy.test(path)) return like !== path && (yield* isThere(like)) ? like : undefined
    return yield* new DataInvalid({ source: path, expected, came: "none came, and the name tells of none", advice })
  }
  const beside = folder + other
  const zipped = /\.gz$/i.test(beside) ? beside.slice(0, -3) : `${beside}.gz`
  for (const candidate of [beside, zipped]) {
    if (yield* isThere(candidate)) return candidate
  }
  return yield* new DataInvalid({ source: path, expected, came: `there is no ${other} beside it`, advice })
})

/** Whether a file holds images of one byte per pixel. */
const isImage = ({ header }: ArrayFile.Rows): boolean => header.element === "u1" && header.shape.length > 2

/** Scales image pixels of one byte each to x / 255, whatever the file format; other numbers are unchanged. */
const scaled = (rows: ArrayFile.Rows): NdArray =>
  isImage(rows) ? { shape: rows.array.shape, data: rows.array.data.map((byte) => byte / 255) } : rows.array

/** Returns the name of the i-th number of an image; of a row. */
const pixel = (i: number): string => `p${i}`
const place = (i: number): string => `x${i + 1}`

const cellsOf = (source: string, { data, shape }: NdArray): Cells.Cells => {
  const [examples = 1, ...inner] = shape
  const width = size(inner)
  const name = inner.length > 1 ? pixel : place
  const columns = Array.from({ length: width }, (_, i) => ({ name: name(i) }))
  return { source, columns, cells: { shape: [examples, width], data } }
}

const withTargets = Effect.fnUntraced(function* (source: string, { data, shape }: NdArray, options: Options) {
  const [examples = 1, width = 1] = shape
  if (shape.length !== 2 || width < 2) {
    const expected = "rows of inputs with a label each as the last column, or a file of labels"
    const advice = "name the file of the labels, or name the files X….npy and y….npy"
    return yield* new DataInvalid({ source, expected, came: `[${shape.join(",")}] came`, advice })
  }
  const last = { shape: [examples], data: data.filter((_, i) => i % width === width - 1) }
  const rest = { shape: [examples, width - 1], data: data.filter((_, i) => i % width < width - 1) }
  const gaps = gapsIn(options, rest, last)
  return without(
    Frame.of({ ...cellsOf(source, rest), ...(yield* ArrayLabels.targets(source, last, options, gaps)) }),
    gaps
  )
})

const labelled = Effect.fnUntraced(function* (source: string, array: NdArray, labels: string, options: Options) {
  const { array: given } = yield* ArrayFile.read(formatOf(labels), labels)
  yield* fitting(source, array.shape[0] ?? 1, labels, given)
  const gaps = gapsIn(options, array, given)
  return without(
    Frame.of({ ...cellsOf(source, array), ...(yield* ArrayLabels.targets(labels, given, options, gaps)) }),
    gaps
  )
})

const fitting = (source: string, examples: number, labels: string, { shape: [came = 1] }: NdArray) =>
  came === examples
    ? Effect.void
    : Effect.fail(
        new DataInvalid({
          source: labels,
          expected: `${examples} labels, one for each example in ${source}`,
          came: `${came} came`,
          advice: "name the file that belongs to it"
        })
      )

/** The examples that are left out: for `drop`, those with a missing value in one of these arrays. */
const gapsIn = ({ missing }: Options, ...arrays: ReadonlyArray<NdArray>): ReadonlySet<number> => {
  const gaps = new Set<number>()
  if (missing !== "drop") return gaps
  for (const { data, shape } of arrays) {
    const width = size(shape.slice(1))
    data.forEach((value, i) => {
      if (Number.isNaN(value)) gaps.add(Math.floor(i / width))
    })
  }
  return gaps
}

const without = (frame: Frame.Frame, gaps: ReadonlySet<number>): Frame.Frame => {
  if (gaps.size === 0) return frame
  const all = Array.from({ length: Frame.examples(frame) }, (_, i) => i)
  const kept = all.filter((i) => !gaps.has(i))
  return Frame.of({ ...Frame.select(frame, kept), dropped: gaps.size })
}
