import { execFile } from "node:child_process"
import { createWriteStream } from "node:fs"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, PlatformError, Stream } from "effect"
import * as Arrays from "../../src/data/Arrays.ts"
import * as Dataset from "../../src/data/Dataset.ts"
import * as Frame from "../../src/data/Frame.ts"
import * as Idx from "../../src/data/Idx.ts"
import * as Npy from "../../src/data/Npy.ts"
import * as Parts from "../../src/data/Parts.ts"
import * as Source from "../../src/data/Source.ts"
import * as Fixture from "../fixtures/Fixture.ts"

interface Case {
  readonly name: string
  readonly file: string
  readonly shape: ReadonlyArray<number>
  readonly numbers: ReadonlyArray<number>
}

/** Written by arrays.py: numpy. */
const fixture = Fixture.read<{
  readonly npy: ReadonlyArray<Case>
  readonly idx: ReadonlyArray<Case>
  readonly refused: Readonly<Record<string, string>>
}>("arrays.json")

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(base64, "base64"))

/** A file system with these files, which reads at most `piece` bytes at a time. */
const disk = (files: Readonly<Record<string, Uint8Array>>, piece = 7) => {
  const lacks = (path: string) =>
    PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "stat", pathOrDescriptor: path })
  const pieces = (bytes: Uint8Array) =>
    Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) => bytes.slice(i * piece, (i + 1) * piece))
  return FileSystem.layerNoop({
    exists: (path) => Effect.succeed(path in files),
    stat: (path) =>
      path in files ? Effect.succeed({ type: "File" } as FileSystem.File.Info) : Effect.fail(lacks(path)),
    stream: (path) => Stream.fromIterable(pieces(files[path]!))
  })
}

const idx = (type: number, shape: ReadonlyArray<number>, numbers: ReadonlyArray<number>) =>
  Uint8Array.of(0, 0, type, shape.length, ...shape.flatMap((n) => [0, 0, n >> 8, n & 255]), ...numbers)

const npy = (header: string, body: ArrayLike<number>, version = 1) => {
  const text = new TextEncoder().encode(header)
  const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length, 0, 0, 0]
  return Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...length, ...text, ...Array.from(body))
}

const longs = (numbers: ReadonlyArray<bigint>) =>
  npy(
    `{'descr': '<i8', 'fortran_order': False, 'shape': (${numbers.length},), }\n`,
    new Uint8Array(BigInt64Array.from(numbers).buffer)
  )

const floats = (shape: ReadonlyArray<number>, numbers: ReadonlyArray<number>) => {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.join(", ")},), }\n`
  return npy(header, new Uint8Array(Float64Array.from(numbers).buffer))
}

describe("an array is the one that numpy wrote", () => {
  for (const [format, read, cases] of [
    ["a.npy", Npy.read, fixture.npy],
    ["a.idx", Idx.read, fixture.idx]
  ] as const) {
    for (const { file, name, numbers, shape } of cases) {
      it.effect(`${format}: ${name}`, () =>
        Effect.gen(function* () {
          for (const [path, bytes, piece] of [
            [format, bytesOf(file), 1000],
            [format, bytesOf(file), 5],
            [`${format}.gz`, Uint8Array.from(gzipSync(bytesOf(file))), 64]
          ] as const) {
            const array = yield* read(path).pipe(Effect.provide(disk({ [path]: bytes }, piece)))
            assert.deepStrictEqual([...array.shape], [...shape])
            assert.deepStrictEqual([...array.data], [...numbers])
          }
        })
      )
    }
  }
})

const images = idx(
  8,
  [4, 2, 3],
  Array.from({ length: 24 }, (_, i) => 10 * i)
)
const labels = idx(8, [4], [5, 0, 5, 9])
const mnist = { "d/train-images-idx3-ubyte": images, "d/train-labels-idx1-ubyte": labels }
const dataset = (path: string, options: Source.Options = {}) => Source.read(path, options)

describe("files of arrays as data", () => {
  it.effect("images and their labels, as MNIST's are named", () =>
    Effect.gen(function* () {
      const data = yield* dataset("d/train-images-idx3-ubyte")
      assert.deepStrictEqual(data.inputs.shape, [4, 6])
      assert.deepStrictEqual(
        [...data.inputs.data],
        Array.from({ length: 24 }, (_, i) => Math.fround((10 * i) / 255))
      )
      assert.deepStrictEqual(data.classNames, ["0", "5", "9"])
      assert.deepStrictEqual([...Dataset.labels(data)], [1, 0, 1, 2])
      assert.deepStrictEqual(data.inputNames, ["p0", "p1", "p2", "p3", "p4", "p5"])
      const { cells } = yield* Arrays.inputs("d/train-images-idx3-ubyte")
      assert.deepStrictEqual(cells, data.inputs)
      // The same pixels in numpy's format are the same numbers.
      const saved = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4, 2, 3), }\n", images.subarray(16))
      const again = yield* Arrays.inputs("x.npy").pipe(Effect.provide(disk({ "x.npy": saved })))
      assert.deepStrictEqual(again.cells, cells)
      // In rows they are taken as they are: what was trained on images would answer something else, and say nothing.
      const flat = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4, 6), }\n", images.subarray(16))
      const column = (name: string) => ({ _tag: "Number", name, mean: 0, scale: 1 }) as const
      const trained = (on: (i: number) => string) => ({
        preprocessing: { columns: data.inputNames.map((_, i) => column(on(i))), unseen: "error" } as const
      })
      const [ofImages, ofRows] = [trained((i) => `p${i}`), trained((i) => `x${i + 1}`)]
      const files = disk({ "x.npy": saved, "flat.npy": flat })
      const read = (file: string, by: Source.Columns) => Effect.provide(Source.inputs(file, by), files)
      assert.strictEqual(
        (yield* Effect.flip(read("flat.npy", ofImages))).message,
        "flat.npy: expected images, whose bytes are x / 255, as in training, but [4,6] of bytes came; give it as [examples, height, width], or divide it by 255"
      )
      assert.strictEqual(
        (yield* Effect.flip(read("x.npy", ofRows))).message,
        "x.npy: expected rows of bytes, taken as they are, as in training, but [4,2,3] of bytes came, images, which are x / 255; flatten the array"
      )
      const byName = yield* Effect.flip(read("flat.npy", { names: data.inputNames }))
      assert.match(byName.message, /^flat.npy: expected images/)
      assert.deepStrictEqual(yield* read("x.npy", ofImages), cells)
      assert.strictEqual((yield* read("flat.npy", ofRows)).data[1], 10)
    }).pipe(Effect.provide(disk(mnist)))
  )

  it.effect("gzipped or not, with a dot, or named", () =>
    Effect.gen(function* () {
      const zipped = Uint8Array.from(gzipSync(labels))
      const files = { "t.images.idx3-ubyte": images, "t.labels.idx1-ubyte.gz": zipped, "l.idx": labels }
      for (const options of [{}, { labels: "l.idx" }]) {
        const data = yield* dataset("t.images.idx3-ubyte", options).pipe(Effect.provide(disk(files)))
        assert.deepStrictEqual([...Dataset.labels(data)], [1, 0, 1, 2])
      }
      const unsaid = { "t.images.idx3-ubyte": Uint8Array.from(gzipSync(images)), "l.idx": zipped }
      for (const piece of [1, 2, 1000]) {
        const files = Effect.provide(disk(unsaid, piece))
        const data = yield* dataset("t.images.idx3-ubyte", { labels: "l.idx" }).pipe(files)
        assert.deepStrictEqual([...Dataset.labels(data)], [1, 0, 1, 2])
      }
    })
  )

  it.effect(".npy with labels named alike, named, or in the last column", () =>
    Effect.gen(function* () {
      const files = {
        "X_train.npy": floats([3, 2], [1, 2, 3, 4, 5, 6]),
        "y_train.npy": floats([3, 1], [0, 1, 0]),
        "both.npy": floats([3, 3], [1, 2, 0, 3, 4, 1, 5, 6, 0]),
        "values.npy": floats([3, 2], [0.5, 1, 1.5, 2, 2.5, 3])
      }
      const [alike, alone] = yield* Effect.all([dataset("X_train.npy"), dataset("both.npy")]).pipe(
        Effect.provide(disk(files))
      )
      assert.deepStrictEqual(alike, alone)
      assert.strictEqual(alone.task, "binary")
      assert.deepStrictEqual([...alone.inputs.data], [1, 2, 3, 4, 5, 6])
      assert.deepStrictEqual([...alone.targets.data], [0, 1, 0])
      const renamed = { "Xiris.npy": files["X_train.npy"], "yiris.npy": files["y_train.npy"] }
      assert.deepStrictEqual(yield* dataset("Xiris.npy").pipe(Effect.provide(disk(renamed))), alone)
      const behind = { "train_X.npy": files["X_train.npy"], "train_y.npy": files["y_train.npy"] }
      assert.deepStrictEqual(yield* dataset("train_X.npy").pipe(Effect.provide(disk(behind))), alone)
      const values = yield* dataset("X_train.npy", { labels: "values.npy", task: "regression" }).pipe(
        Effect.provide(disk(files))
      )
      assert.deepStrictEqual(values.targets.shape, [3, 2])
    })
  )

  it.effect("images of other numbers as they are, and inputs for what was trained by their places", () =>
    Effect.gen(function* () {
      const of = (name: string) => bytesOf(fixture.idx.find((one) => one.name === name)!.file)
      const files = { "f.idx": of("f4"), "u.idx": of("u1"), "new.npy": floats([1, 2], [3, 8]) }
      const [float, byte] = yield* Effect.all([Arrays.inputs("f.idx"), Arrays.inputs("u.idx")]).pipe(
        Effect.provide(disk(files))
      )
      const numbers = (name: string) => fixture.idx.find((one) => one.name === name)!.numbers
      assert.deepStrictEqual([...float.cells.data], [...numbers("f4")])
      assert.deepStrictEqual(
        [...byte.cells.data],
        Array.from(numbers("u1"), (x) => Math.fround(x / 255))
      )
      const column = (name: string, mean: number) => ({ _tag: "Number", name, mean, scale: 2 }) as const
      const preprocessing = { columns: [column("height", 1), column("weight", 4)], unseen: "error" } as const
      const inputs = yield* Source.inputs("new.npy", { preprocessing }).pipe(Effect.provide(disk(files)))
      assert.deepStrictEqual([...inputs.data], [1, 2])
      const narrow = { ...preprocessing, columns: preprocessing.columns.slice(1) }
      const refused = Source.inputs("new.npy", { preprocessing: narrow }).pipe(Effect.provide(disk(files)))
      assert.strictEqual(
        (yield* Effect.flip(refused)).message,
        "new.npy: expected a column «weight» of numbers, but the columns are «x1», «x2»; read it as the training data were"
      )
    })
  )

  it.effect("gaps by the same rules", () =>
    Effect.gen(function* () {
      const gap = Number.NaN
      const files = { "a.npy": floats([4, 3], [1, 2, 0, gap, 4, 1, 5, gap, 0, 9, 8, 1]) }
      const read = (missing: "drop" | "mean" | "median") =>
        Effect.map(dataset("a.npy", { missing }).pipe(Effect.provide(disk(files))), ({ inputs }) => [...inputs.data])
      assert.deepStrictEqual(yield* read("drop"), [1, 2, 9, 8])
      assert.deepStrictEqual(yield* read("mean"), [1, 2, 5, 4, 5, 14 / 3, 9, 8])
      assert.deepStrictEqual(yield* read("median"), [1, 2, 5, 4, 5, 4, 9, 8])
    })
  )

  it.effect("drops an example whose target is missing, as of a table, whole or in parts", () =>
    Effect.gen(function* () {
      const gap = Number.NaN
      const options = { missing: "drop", labels: "y.npy" } as const
      const read = (y: Uint8Array, task?: "regression") =>
        Effect.gen(function* () {
          const whole = yield* Arrays.frame("X.npy", { ...options, task })
          const parts = yield* Stream.runCollect(Arrays.everyPart("X.npy", { ...options, task, rows: 2 }))
          const numbers = (array: "cells" | "targets") => parts.flatMap((part) => [...part[array].data])
          assert.deepStrictEqual(numbers("cells"), [...whole.cells.data])
          assert.deepStrictEqual(numbers("targets"), [...whole.targets.data])
          assert.strictEqual(whole.dropped, 2)
          assert.strictEqual(
            parts.reduce((sum, { dropped = 0 }) => sum + dropped, 0),
            2
          )
          return whole
        }).pipe(Effect.provide(disk({ "X.npy": floats([5, 1], [1, 2, gap, 4, 5]), "y.npy": y })))
      const values = yield* read(floats([5], [gap, 0.2, 0.3, 0.4, 0.5]), "regression")
      assert.deepStrictEqual([...values.cells.data], [2, 4, 5])
      assert.deepStrictEqual([...values.targets.data], [0.2, 0.4, 0.5])
      const rows = yield* read(floats([5, 2], [0, 1, 2, 3, 4, 5, 6, gap, 8, 9]), "regression")
      assert.deepStrictEqual([...rows.targets.data], [0, 1, 2, 3, 8, 9])
      const classes = yield* read(floats([5], [gap, 3, 3, 7, 3]))
      assert.deepStrictEqual(classes.classNames, ["3", "7"])
      assert.deepStrictEqual([...classes.targets.data], [0, 1, 0])
      const column = disk({ "a.npy": floats([4, 2], [1, 0, 2, gap, gap, 5, 4, 1]) })
      const last = yield* Arrays.frame("a.npy", { missing: "drop" }).pipe(Effect.provide(column))
      assert.deepStrictEqual([...last.targets.data], [0, 1])
      assert.deepStrictEqual(last.classNames, ["0", "1"])
    })
  )

  it.effect("part by part as at once", () =>
    Effect.gen(function* () {
      const whole = yield* dataset("d/train-images-idx3-ubyte", { standardise: true })
      const { parts, sample } = yield* Parts.file("d/train-images-idx3-ubyte", { standardise: true, rows: 3 })
      assert.deepStrictEqual(parts.sizes, [3, 1])
      const read = yield* Stream.runCollect(parts.read)
      const joined = Float64Array.from(read.flatMap((part) => [...part.inputs.data]))
      Fixture.near({ shape: [4, 6], data: joined }, whole.inputs, 1e-6, "inputs")
      assert.deepStrictEqual(
        read.flatMap((part) => [...part.targets.data]),
        [...whole.targets.data]
      )
      assert.deepStrictEqual(sample, read[0])
    }).pipe(Effect.provide(disk(mnist)))
  )
})

describe("memory", () => {
  it.effect(
    "a file of 150 MB within 32 MB of heap, the process growing by less than half of the file",
    () =>
      Effect.gen(function* () {
        const [examples, width] = [200_000, 784]
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        const header = (shape: ReadonlyArray<number>) => {
          const bytes = new DataView(new ArrayBuffer(4 + 4 * shape.length))
          bytes.setUint32(0, 0x800 + shape.length)
          for (const [axis, n] of shape.entries()) bytes.setUint32(4 + 4 * axis, n)
          return new Uint8Array(bytes.buffer)
        }
        const rows = function* (bytes: number) {
          for (let i = 0; i < examples / 1000; i++) yield new Uint8Array(1000 * bytes).fill(i % 2 === 0 ? 0 : 255)
        }
        const path = `${folder}/train-images-idx3-ubyte`
        const write = (name: string, shape: ReadonlyArray<number>, bytes: number) => {
          const pieces = function* () {
            yield header(shape)
            for (const row of rows(bytes)) yield bytes === 1 ? row.map((value) => value & 1) : row
          }
          return Effect.promise(() => pipeline(Readable.from(pieces()), createWriteStream(name)))
        }
        yield* write(path, [examples, 28, 28], width)
        yield* write(`${folder}/train-labels-idx1-ubyte`, [examples], 1)
        const { size } = yield* fs.stat(path)
        const script = fileURLToPath(new URL("fixtures/stream-arrays.ts", import.meta.url))
        const limits = ["--max-old-space-size=32", "--max-semi-space-size=4"]
        const { stdout } = yield* Effect.promise(() => promisify(execFile)(process.execPath, [...limits, script, path]))
        const told: { readonly examples: number; readonly sum: number; readonly growth: number } = JSON.parse(stdout)
        assert.deepStrictEqual([told.examples, told.sum], [examples, (examples * width) / 2])
        assert.isBelow(told.growth, Number(size) / 2)
      }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer)),
    60_000
  )
})

describe("refuses", () => {
  const cut = (bytes: Uint8Array, length: number) => bytes.slice(0, length)
  const bad: ReadonlyArray<
    readonly [name: string, files: Readonly<Record<string, Uint8Array>>, message: string, options?: Source.Options]
  > = [
    [
      "an IDX file that is none",
      { "a.idx": floats([1], [1]) },
      "a.idx: expected an IDX file, which begins 00 00, but 93 4e 55 4d came; give an IDX file, as MNIST's are"
    ],
    [
      "an unknown type",
      { "a.idx": idx(10, [1, 1], [0]) },
      "a.idx: expected a type of 08, 09, 0b, 0c, 0d or 0e in byte 3: bytes, shorts, ints, floats or doubles, but 00 00 0a 02 came; give an IDX file, as MNIST's are"
    ],
    [
      "no dimension",
      { "a.idx": idx(8, [], [0]) },
      "a.idx: expected at least one dimension in byte 4, but 00 00 08 00 came; give an IDX file, as MNIST's are"
    ],
    [
      "no image",
      { "a.idx": idx(8, [0, 28, 28], []) },
      "a.idx: expected at least one element, but the header says [0,28,28]; give a file with data"
    ],
    [
      "an empty file",
      { "a.idx": new Uint8Array() },
      "a.idx: expected an IDX file, with a header of at least 4 bytes, but it ends after 0; copy or download the file again"
    ],
    [
      "a header cut short",
      { "a.idx": cut(images, 10) },
      "a.idx: expected an IDX file, with a header of at least 16 bytes, but it ends after 10; copy or download the file again"
    ],
    [
      "images cut short",
      { "a.idx": cut(images, 31) },
      "a.idx: expected 40 bytes, as [4,2,3] in the header says, but the file ends after 31, in row 3; copy or download the file again"
    ],
    [
      "more than the header says",
      { "a.idx": Uint8Array.of(...images, 0) },
      "a.idx: expected an IDX file of 40 bytes, as [4,2,3] in its header says, but it is longer; copy or download the file again"
    ],
    [
      "a row too large to be one",
      { "a.idx": idx(8, [1, 65535, 65535], [0]) },
      "a.idx: expected rows of at most 1073741824 bytes, but the header says [1,65535,65535]; copy or download the file again"
    ],
    [
      "labels that are not there",
      { "train-images-idx3-ubyte": images },
      "train-images-idx3-ubyte: expected a file of labels, but there is no train-labels-idx1-ubyte beside it; name it as the labels",
      { labels: undefined }
    ],
    [
      "a name that tells of no labels",
      { "a.idx": images },
      "a.idx: expected a file of labels, but none came, and the name tells of none; name it as the labels",
      { labels: undefined }
    ],
    [
      "labels of other images",
      { "a.idx": images, "l.idx": idx(8, [3], [0, 1, 0]) },
      "l.idx: expected 4 labels, one for each example in a.idx, but 3 came; name the file that belongs to it"
    ],
    [
      "images as labels",
      { "a.idx": images, "l.idx": images },
      "l.idx: expected one label an example, but [4,2,3] came; give one row an example"
    ],
    [
      "one class",
      { "a.idx": images, "l.idx": idx(8, [4], [1, 1, 1, 1]) },
      "l.idx: expected at least two classes, but every label is 1; add examples of another class"
    ],
    [
      "three classes where two belong",
      { "a.idx": images, "l.idx": labels },
      "l.idx: expected two classes for the task binary, but 3 came: «0», «5», «9»; leave the task out, or choose classes",
      { task: "binary" }
    ],
    [
      "a column's name",
      { "a.idx": images, "l.idx": labels },
      "a.idx: expected a file whose columns have names, but «kind» came; leave the name out, or give a CSV file",
      { label: "kind" }
    ],
    [
      "values as classes",
      { "X.npy": floats([2, 1], [1, 2]), "y.npy": floats([2], [0.5, 1]) },
      "y.npy: expected whole numbers as class labels, but 0.5 came in example 1; choose the task regression if these are values"
    ],
    [
      "NaN as a value",
      { "X.npy": floats([2, 1], [1, 2]), "y.npy": floats([2], [1, Number.NaN]) },
      "y.npy: expected finite values, but NaN came in example 2; replace it or leave the example out",
      { task: "regression" }
    ],
    [
      "keys as classes that are too large to tell apart",
      { "X.npy": floats([2, 1], [1, 2]), "y.npy": longs([2n ** 53n + 1n, 2n ** 53n]) },
      "y.npy: expected class labels within ±(2^53 − 1), beyond which several are the same number, but 9007199254740992 came in example 1; number the classes from 0, or give the labels in a CSV file, as texts"
    ],
    [
      "values as classes beside examples that are left out, by their places in the file",
      { "X.npy": floats([3, 1], [1, 2, 3]), "y.npy": floats([3], [Number.NaN, 1, 0.5]) },
      "y.npy: expected whole numbers as class labels, but 0.5 came in example 3; choose the task regression if these are values",
      { missing: "drop" }
    ],
    [
      "one class where the other's examples are left out",
      { "X.npy": floats([3, 1], [1, 2, Number.NaN]), "y.npy": floats([3], [1, 1, 0]) },
      "y.npy: expected at least two classes, but every label is 1 where no value is missing (1 example left out); fill missing values by mean or median, or remove the columns that lack most",
      { missing: "drop" }
    ],
    [
      "a missing value in each example, where these are left out",
      { "X.npy": floats([2, 1], [1, Number.NaN]), "y.npy": floats([2], [Number.NaN, 1]) },
      "y.npy: expected an example that is whole, but each has a missing value; fill missing values by mean or median, or remove the columns that lack most",
      { missing: "drop" }
    ],
    [
      "rows of classes",
      { "X.npy": floats([2, 1], [1, 2]), "y.npy": floats([2, 2], [1, 0, 0, 1]) },
      "y.npy: expected one label an example, but [2,2] came; choose the task regression if these are values"
    ],
    [
      "one column alone",
      { "a.npy": floats([3], [1, 2, 3]) },
      "a.npy: expected rows of inputs with a label each as the last column, or a file of labels, but [3] came; name the file of the labels, or name the files X….npy and y….npy"
    ],
    [
      "X without y",
      { "X_test.npy": floats([2, 2], [1, 2, 3, 4]) },
      "X_test.npy: expected a file of labels, but there is no y_test.npy beside it; name it as the labels"
    ],
    [
      "a missing value",
      { "a.npy": floats([2, 2], [1, 0, Number.NaN, 1]) },
      "a.npy, column «x1»: expected a number, but none came in example 2; fill it, leave the example out, or train with mean or median for missing values"
    ],
    [
      "an npy file that is none",
      { "a.npy": images },
      "a.npy: expected an npy file, which begins 93 4e 55 4d 50 59, but 00 00 08 03 00 00 came; write it with np.save"
    ],
    [
      "another version",
      { "a.npy": npy("{}", [], 4) },
      "a.npy: expected an npy file of version 1 to 3, but version 4 came; write it with np.save"
    ],
    [
      "a header that is none",
      { "a.npy": npy("{'descr': '<f8'}", []) },
      "a.npy: expected a header with descr, fortran_order and shape, but «{'descr': '<f8'}» came; save numbers, as in np.save(file, array.astype(np.float32))"
    ],
    [
      "npy numbers cut short",
      { "a.npy": floats([2, 2], [1, 2, 3]) },
      "a.npy: expected 103 bytes, as [2,2] in the header says, but the file ends after 95, in row 2; copy or download the file again"
    ],
    ...(
      [
        ["objects", "objects came"],
        ["records", "a structured array came"],
        ["texts", "«<U2» came"],
        ["complex numbers", "«<c16» came"],
        ["half precision", "«<f2» came"],
        ["dates", "«<M8[D]» came"]
      ] as const
    ).map(
      ([name, came]) =>
        [
          name,
          { "a.npy": bytesOf(fixture.refused[name]!) },
          `a.npy: expected an array of integers, float32, float64 or bool, but ${came}; save numbers, as in np.save(file, array.astype(np.float32))`
        ] as const
    ),
    [
      "an array of nothing",
      { "a.npy": bytesOf(fixture.refused.nothing!) },
      "a.npy: expected at least one element, but the header says [0,3]; give a file with data"
    ]
  ]
  for (const [name, files, message, options] of bad) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const path = Object.keys(files)[0]!
        const named = path === "a.idx" && !(options !== undefined && "labels" in options) ? { labels: "l.idx" } : {}
        const given = { ...named, ...options }
        const error = yield* Effect.flip(dataset(path, given).pipe(Effect.provide(disk({ "l.idx": labels, ...files }))))
        assert.strictEqual(error.message, message)
      })
    )
  }

  it.effect("Fortran's order in parts, and one array in parts without labels", () =>
    Effect.gen(function* () {
      const fortran = fixture.npy.find(({ name }) => name.startsWith("Fortran"))!
      const files = disk({
        "X.npy": bytesOf(fortran.file),
        "y.npy": floats([2], [0, 1]),
        "a.npy": floats([1, 2], [1, 0])
      })
      const first = (path: string) =>
        Effect.map(
          Effect.flip(Stream.runDrain(Arrays.stream(path)).pipe(Effect.provide(files))),
          ({ message }) => message
        )
      assert.strictEqual(
        yield* first("X.npy"),
        "X.npy: expected an array in C order where it is read in parts, but one in Fortran's order came; save it with np.ascontiguousarray"
      )
      assert.strictEqual(
        yield* first("a.npy"),
        "a.npy: expected a file of labels beside one that is read in parts, but none came; name it as the labels"
      )
      assert.strictEqual(
        (yield* Effect.flip(Stream.runDrain(Arrays.stream("X.npy", { rows: 0 })).pipe(Effect.provide(files)))).message,
        "X.npy, setting «rows»: expected a whole number of examples, at least 1, but 0 came; give for instance 1024"
      )
      const data = yield* Arrays.frame("X.npy").pipe(Effect.provide(files))
      assert.strictEqual(Frame.examples(data), 2)
    })
  )
})
