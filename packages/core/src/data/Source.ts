/**
 * Data sources as written on the command line: a generated set with settings, a shipped one, or a file.
 */
import { Effect, type FileSystem } from "effect"
import * as Arrays from "./Arrays.ts"
import * as Blobs from "./Blobs.ts"
import * as Checkerboard from "./Checkerboard.ts"
import * as Circles from "./Circles.ts"
import * as Csv from "./Csv.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import type * as Dataset from "./Dataset.ts"
import * as Digits from "./Digits.ts"
import * as Encoding from "./Encoding.ts"
import * as Frame from "./Frame.ts"
import * as Moons from "./Moons.ts"
import * as Preprocessing from "./Preprocessing.ts"
import type { Settings } from "./Setting.ts"
import * as Spirals from "./Spirals.ts"
import * as Xor from "./Xor.ts"

interface Generator {
  readonly settings: Settings
  readonly make: (
    options: Readonly<Record<string, number>>
  ) => Effect.Effect<Dataset.Dataset, DataInvalid, FileSystem.FileSystem>
}

const generators: Readonly<Record<string, Generator>> = {
  "moons-100": { settings: {}, make: () => Moons.paper },
  moons: Moons,
  circles: Circles,
  spirals: Spirals,
  blobs: Blobs,
  xor: Xor,
  checkerboard: Checkerboard,
  digits: Digits
}

/** Names of the data sets that need no file from the user. */
export const names: ReadonlyArray<string> = Object.keys(generators)

/**
 * Reads the data set that a text names: `moons-100` (the paper's points); `moons`, `circles`, `spirals`, `blobs`, `xor` or `checkerboard`, with
 * settings such as `moons:n=1000,noise=0.1,seed=7`; `digits`; or the path of a `.csv`, `.npy` or IDX file, plain or gzipped. `label`, `labels`,
 * `categorical` and `task` apply to files. Fails where there is no such set, setting or file, and lists those available.
 *
 * ```ts
 * import { Dataset, Source } from "@rai/core"
 * import { Effect, FileSystem } from "effect"
 *
 * const program = Source.read("moons:n=1000,noise=0.1,seed=7").pipe(Effect.provide(FileSystem.layerNoop({})))
 * Dataset.examples(await Effect.runPromise(program)) // => 1000
 * ```
 */
export const read = Effect.fn("Source.read")(function* (text: string, options: Options = {}) {
  const raw = yield* frame(text, options)
  return yield* Frame.toDataset(raw, yield* Preprocessing.fit(raw, options))
})

/** Reads the examples that a text names, with nothing learned from their columns yet: split these before preprocessing. */
export const frame = (
  text: string,
  options: Options = {}
): Effect.Effect<Frame.Frame, DataInvalid, FileSystem.FileSystem> =>
  isFile(text) ? ofFile(text, options) : Effect.map(generate(text, options), (data) => Frame.ofDataset(data, text))

/** Options for reading a source; column names and a labels file apply only to files. */
export interface Options extends Csv.Options, Arrays.Options {}

const ofFile = (text: string, options: Options) => {
  if (!isTable(text)) {
    const named = options.label ?? options.categorical?.[0]
    return named === undefined
      ? Arrays.frame(text, options)
      : Effect.fail(stray(text, "a file whose columns have names", named, "leave the name out, or give a CSV file"))
  }
  return options.labels === undefined
    ? Csv.frame(text, options)
    : Effect.fail(stray(text, "labels in a column of the file", options.labels, "name that column as the label"))
}

const stray = (source: string, expected: string, came: string, advice: string): DataInvalid =>
  new DataInvalid({ source, expected, came: `${quote(came)} came`, advice })

/** Columns that a trained circuit or a model takes. */
export interface Columns {
  /** Absent where columns are used as they are. */
  readonly preprocessing?: Preprocessing.Preprocessing | undefined
  /** The columns' names if there is no preprocessing; all columns of the file by default. */
  readonly names?: ReadonlyArray<string> | undefined
  /** Whether preprocessing is left to the model: see `Encoding.raw`. */
  readonly raw?: boolean | undefined
}

/**
 * Reads a file's inputs for a trained circuit or model, [examples, features]: raw columns by name, preprocessed as the training data were, or as
 * numbers for a model that preprocesses them itself.
 */
export const inputs = Effect.fn("Source.inputs")(function* (
  path: string,
  { names, preprocessing, raw: asRaw }: Columns = {}
) {
  const columns = preprocessing?.columns ?? []
  const wanted = preprocessing === undefined ? names : columns.map(({ name }) => name)
  const raw = Arrays.isFile(path)
    ? yield* Arrays.inputs(path, wanted)
    : yield* Csv.inputs(path, { names: wanted, ...Preprocessing.reading(columns) })
  if (preprocessing === undefined) return raw.cells
  return yield* asRaw === true ? Encoding.raw(preprocessing, raw) : Preprocessing.encode(preprocessing, raw)
})

/** Whether a text names a file: CSV, .npy or IDX. */
export const isFile = (text: string): boolean => isTable(text) || Arrays.isFile(text)

/** Whether a text names a file whose columns have names: CSV. */
export const isTable = (text: string): boolean => /\.csv(?:\.gz)?$/i.test(text)

const generate = Effect.fnUntraced(function* (text: string, options: Options) {
  const [name = "", ...rest] = text.split(":")
  const generator = Object.hasOwn(generators, name) ? generators[name] : undefined
  if (generator === undefined) {
    const expected = `one of ${names.join(", ")}, or a .csv, .npy or IDX file`
    return yield* new DataInvalid({
      source: "data",
      expected,
      came: `${quote(text)} came`,
      advice: "name one of these"
    })
  }
  const data = yield* generator
    .make(yield* settings(name, rest, generator.settings))
    .pipe(
      Effect.mapError((error) =>
        error.setting === undefined ? error : new DataInvalid({ ...error, setting: flag(error.setting) })
      )
    )
  if (options.label !== undefined) {
    const came = `${quote(options.label)} came for a set with a name of its own`
    const advice = "leave the label out, or give a file"
    return yield* new DataInvalid({ source: name, expected: "a label column for files alone", came, advice })
  }
  const other = options.labels ?? options.categorical?.[0]
  if (other !== undefined) {
    return yield* stray(name, "files of labels and categorical columns for files alone", other, "leave it out")
  }
  if (options.task !== undefined && options.task !== data.task) {
    const came = `${quote(options.task)} came`
    return yield* new DataInvalid({
      source: name,
      expected: `the task ${data.task}`,
      came,
      advice: "leave the task out"
    })
  }
  return data
})

/** On the command line, `examples` is called `n`. */
const flag = (setting: string): string => (setting === "examples" ? "n" : setting)

const settings = Effect.fnUntraced(function* (source: string, parts: ReadonlyArray<string>, known: Settings) {
  const found: Record<string, number> = {}
  if (parts.length === 0) return found
  const flags = new Map(Object.keys(known).map((setting) => [flag(setting), setting]))
  const invalid = (expected: string, came: string, advice: string) =>
    new DataInvalid({ source, expected, came, advice })
  if (flags.size === 0) {
    return yield* invalid(
      "no settings",
      `${quote(parts.join(":"))} came`,
      source === "moons-100" ? "leave them out, or name moons, which has some" : "leave them out"
    )
  }
  for (const pair of parts.join(":").split(",")) {
    const [key = "", value, ...more] = pair.split("=").map((side) => side.trim())
    const setting = flags.get(key)
    if (setting === undefined) {
      const first = `${source}:${[...flags.keys()][0]}=100`
      return yield* invalid(
        `settings ${[...flags.keys()].join(", ")}`,
        `${quote(pair)} came`,
        `write for instance ${first}`
      )
    }
    const number = value === undefined || value === "" || more.length > 0 ? Number.NaN : Number(value)
    if (!Number.isFinite(number)) {
      return yield* invalid(
        `a number after ${key}=`,
        `${quote(pair)} came`,
        `write for instance ${key}=${known[setting]!.byDefault}`
      )
    }
    if (Object.hasOwn(found, setting)) {
      return yield* invalid("each setting once", `${quote(key)} came twice`, "remove one of the two")
    }
    found[setting] = number
  }
  return found
})
