import { createHash } from "node:crypto"
import { gzipSync } from "node:zlib"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Fiber, FileSystem, Latch, PlatformError, Stream } from "effect"
import * as Csv from "../../src/data/Csv.ts"
import * as Dataset from "../../src/data/Dataset.ts"

/** Writes a file into a folder of its own and reads it; the result mentions the file without its folder. */
const readFile = (name: string, content: string | Uint8Array, options?: Csv.Options) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const path = `${folder}/${name}`
    yield* fs.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content)
    return yield* Csv.read(path, options).pipe(
      Effect.mapError((error) => {
        assert.strictEqual(error._tag, "DataInvalid")
        return error.message.replace(`${folder}/`, "")
      })
    )
  }).pipe(Effect.scoped)

const good = "x1,x2,label\n1,2,0\n-3.5,4e-2,1\n.5,+6.,1\n"
const goodInputs = [1, 2, -3.5, 0.04, 0.5, 6]

layer(NodeFileSystem.layer)("Csv", (it) => {
  describe("reads", () => {
    const variants: ReadonlyArray<readonly [name: string, file: string, content: string | Uint8Array]> = [
      ["a plain file", "a.csv", good],
      ["a gzipped file", "a.csv.gz", gzipSync(good)],
      ["a gzip of two members", "a.csv.gz", Buffer.concat([gzipSync(good.slice(0, 20)), gzipSync(good.slice(20))])],
      ["an upper-case name", "A.CSV.GZ", gzipSync(good)],
      ["a gzip whose name does not say so", "a.csv", gzipSync(good)],
      ["a byte order mark", "a.csv", `\ufeff${good}`],
      ["CRLF", "a.csv", good.replaceAll("\n", "\r\n")],
      ["CR", "a.csv", good.replaceAll("\n", "\r")],
      ["no newline at the end", "a.csv", good.trimEnd()],
      ["blank lines", "a.csv", good.replaceAll("\n", "\n\n")],
      ["spaces around cells", "a.csv", good.replaceAll(",", " , ")],
      ["quoted cells", "a.csv", good.replaceAll(/[^,\n]+/g, '"$&"')],
      ["UTF-16", "a.csv", Buffer.from(`\ufeff${good}`, "utf16le")]
    ]
    for (const [name, file, content] of variants) {
      it.effect(name, () =>
        Effect.gen(function* () {
          const data = yield* readFile(file, content)
          assert.deepStrictEqual(data.inputs.shape, [3, 2])
          assert.deepStrictEqual([...data.inputs.data], goodInputs)
          assert.deepStrictEqual([...data.targets.data], [0, 1, 1])
          assert.strictEqual(data.task, "binary")
          assert.deepStrictEqual(data.inputNames, ["x1", "x2"])
          assert.deepStrictEqual(data.classNames, ["0", "1"])
        })
      )
    }

    it.effect("a label column by name, and names with commas and quotes in them", () =>
      Effect.gen(function* () {
        const text = '"kind, of ""it""",height\n"cat, small",1\ndog,2\n"a\nb",3\n'
        const data = yield* readFile("a.csv", text, { label: 'kind, of "it"' })
        assert.strictEqual(data.task, "classes")
        assert.deepStrictEqual(data.classNames, ["a\nb", "cat, small", "dog"])
        assert.deepStrictEqual([...data.targets.data], [0, 1, 0, 0, 0, 1, 1, 0, 0])
        assert.deepStrictEqual(data.inputNames, ["height"])
      })
    )

    it.effect("numbers too long to be exact as they are written, each a class of its own", () =>
      Effect.gen(function* () {
        const [a, b, c] = ["9007199254740992", "9007199254740993", "-9007199254740993"]
        const data = yield* readFile("a.csv", `x,y\n1,${b}\n2,${a}\n3,${c}\n4,1\n`)
        assert.deepStrictEqual(data.classNames, [c, "1", a, b])
      })
    )

    it.effect("whole numbers as classes by size, 1 and 1.0 alike", () =>
      Effect.gen(function* () {
        const data = yield* readFile("a.csv", "x,y\n1,10\n2,2\n3,1.0\n4,1\n")
        assert.deepStrictEqual(data.classNames, ["1", "2", "10"])
        assert.deepStrictEqual([...Dataset.labels(data)], [2, 1, 0, 0])
      })
    )

    it.effect("numbers as they are written, as classes and as categories, by size", () =>
      Effect.gen(function* () {
        const content = "zip,y\n94016,042\n01234,007\n10.0,1000\n"
        const data = yield* readFile("a.csv", content, { categorical: ["zip"] })
        assert.deepStrictEqual(data.classNames, ["007", "042", "1000"])
        assert.deepStrictEqual(data.inputNames, ["zip=10.0", "zip=01234", "zip=94016"])
        assert.deepStrictEqual([...Dataset.labels(data)], [1, 0, 2])
      })
    )

    it.effect("known classes in another spelling of their numbers, but first in their own", () =>
      Effect.gen(function* () {
        for (const classNames of [
          ["7", "42"],
          ["007", "042"]
        ]) {
          const data = yield* readFile("a.csv", "x,y\n1,042\n2,7.0\n3,42\n4,007\n", { classNames })
          assert.deepStrictEqual(data.classNames, classNames)
          assert.deepStrictEqual([...Dataset.labels(data)], [1, 0, 1, 0])
        }
        const data = yield* readFile("a.csv", "x,y\n1,01\n2,1\n", { classNames: ["01", "1"] })
        assert.deepStrictEqual([...Dataset.labels(data)], [0, 1])
      })
    )

    it.effect("columns named by numbers: whole ones as pandas counts them, and any where the label is named", () =>
      Effect.gen(function* () {
        const counted = yield* readFile("a.csv", "0,1,target\n5.1,3.5,cat\n4.9,3,dog\n")
        assert.deepStrictEqual(counted.inputNames, ["0", "1"])
        const spectrum = yield* readFile("a.csv", "400.5,401.5,kind\n5,3,cat\n4,3,dog\n", { label: "kind" })
        assert.deepStrictEqual(spectrum.inputNames, ["400.5", "401.5"])
        const { inputNames: inputs } = spectrum
        const again = yield* readFile("a.csv", "400.5,401.5,kind\n5,3,cat\n4,3,dog\n", { inputs })
        assert.deepStrictEqual(again.inputNames, inputs)
      })
    )

    it.effect("two labels as one-hot classes, or as values, where the task says so", () =>
      Effect.gen(function* () {
        const classes = yield* readFile("a.csv", good, { task: "classes" })
        assert.deepStrictEqual([...classes.targets.data], [1, 0, 0, 1, 0, 1])
        const values = yield* readFile("a.csv", "x,y\n1,0.25\n2,0.5\n3,0.75\n", { task: "regression" })
        assert.deepStrictEqual([...values.targets.data], [0.25, 0.5, 0.75])
        assert.strictEqual(values.classNames, undefined)
        const one = yield* readFile("a.csv", "x,y\n1,3\n", { task: "regression" })
        assert.deepStrictEqual(one.targets.shape, [1, 1])
      })
    )

    it.effect("other encodings in columns that nobody asks for", () =>
      Effect.gen(function* () {
        const content = Buffer.from("a,note,y\n1,größe,0\n2,grüße,1\n", "latin1")
        const data = yield* readFile("a.csv", content, { inputs: ["a"], label: "y" })
        assert.deepStrictEqual([...data.inputs.data], [1, 2])
      })
    )

    it.effect("every number of a file of many chunks", () =>
      Effect.gen(function* () {
        const rows = 40_000
        const value = (i: number) => Math.sin(i) * 10 ** ((i % 40) - 20)
        const lines = Array.from({ length: rows }, (_, i) => `${value(2 * i)},${value(2 * i + 1)},${i % 3}`)
        const data = yield* readFile("a.csv.gz", gzipSync(`a,b,y\n${lines.join("\n")}`))
        const expected = Float64Array.from({ length: 2 * rows }, (_, i) => value(i))
        const digest = (numbers: Dataset.Dataset["inputs"]["data"]) =>
          createHash("sha256").update(numbers).digest("hex")
        assert.strictEqual(digest(data.inputs.data), digest(expected))
        assert.isTrue(Dataset.labels(data).every((label, i) => label === i % 3))
      })
    )
  })

  describe("refuses", () => {
    const bad: ReadonlyArray<
      readonly [name: string, content: string | Uint8Array, message: string, options?: Csv.Options, file?: string]
    > = [
      [
        "a missing cell",
        "x1,x2,label\n1,2,0\n3,,1\n",
        "a.csv, line 3, column «x2»: expected a number, but an empty cell came; fill the cell, remove the line, or train with mean or median for missing values"
      ],
      [
        "a missing label",
        "x1,label\n1,0\n3,\n",
        "a.csv, line 3, column «label»: expected a label, but an empty cell came; fill the cell, remove the line, or train with drop for missing values"
      ],
      [
        "a missing value",
        "x1,label\n1,0.5\n3,\n",
        "a.csv, line 3, column «label»: expected a number, but an empty cell came; fill the cell, remove the line, or train with drop for missing values",
        { task: "regression" }
      ],
      [
        "text where a number belongs",
        "x1,x2,label\n\n1,two,0\n",
        "a.csv, line 3, column «x2»: expected a number, but «two» came; write a number, or train without the column or with it as categorical"
      ],
      [
        "a hexadecimal number",
        "x1,label\n0x10,0\n",
        "a.csv, line 2, column «x1»: expected a number, but «0x10» came; write a number, or train without the column or with it as categorical"
      ],
      [
        "NaN",
        "x1,label\n1,0\nNaN,1\n",
        "a.csv, line 3, column «x1»: expected a finite number, but «NaN» came; fill the cell, remove the line, or train with mean or median for missing values"
      ],
      [
        "infinity",
        "x1,label\n-Infinity,1\n",
        "a.csv, line 2, column «x1»: expected a finite number, but «-Infinity» came; fill the cell or remove the line"
      ],
      [
        "a number too large for float32",
        "x1,label\n1e39,1\n",
        "a.csv, line 2, column «x1»: expected a number within ±3.4e38, as float32 holds, but «1e39» came; write the column in a larger unit, or remove the line"
      ],
      [
        "a number too large",
        "x1,label\n1e999,1\n",
        "a.csv, line 2, column «x1»: expected a number within ±3.4e38, as float32 holds, but «1e999» came; write the column in a larger unit, or remove the line"
      ],
      [
        "text as a value",
        "x1,label\n1,high\n",
        "a.csv, line 2, column «label»: expected a number, but «high» came; write a number, or leave the task regression out",
        { task: "regression" }
      ],
      [
        "one class only",
        "x1,label\n1,1\n2,1\n",
        "a.csv, column «label»: expected at least two classes, but every label is «1»; add examples of another class"
      ],
      [
        "three classes where two belong",
        "x1,label\n1,a\n2,b\n3,c\n",
        "a.csv, column «label»: expected two classes for the task binary, but 3 came: «a», «b», «c»; leave the task out, or choose classes",
        { task: "binary" }
      ],
      [
        "a class that differs in spaces, which are shown as they are",
        "x,y\n1,blau hell\n2,rot\n",
        "a.csv, line 2, column «y»: expected one of the classes «blau  hell», «rot», but «blau hell» came; correct the label, or name its class too",
        { classNames: ["blau  hell", "rot"] }
      ],
      [
        "values as classes",
        "x1,label\n1,0\n2,0.5\n3,1\n",
        "a.csv, line 3, column «label»: expected class labels, texts or whole numbers, but «0.5» came; choose the task regression if the column holds values"
      ],
      [
        "keys as classes",
        `x1,label\n${Array.from({ length: 1001 }, (_, i) => `1,${i}`).join("\n")}`,
        "a.csv, column «label»: expected at most 1000 classes, but 1001 came; choose another label column, or the task regression if this one holds values"
      ],
      [
        "an empty file",
        "",
        "a.csv: expected a header line and examples below it, but the file is empty; give a file with data"
      ],
      [
        "no rows",
        "x1,label\n",
        "a.csv: expected at least one example below the header, but no rows came; add rows to the file"
      ],
      [
        "a label column that is not there",
        good,
        "a.csv, line 1: expected a label column «y», but the columns are «x1», «x2», «label»; name one of these as the label",
        { label: "y" }
      ],
      [
        "several columns as the label",
        good,
        "a.csv, line 1: expected a label column «x2, label», but the columns are «x1», «x2», «label»; name one of these as the label, or give several targets as y….npy beside X….npy",
        { label: "x2, label" }
      ],
      [
        "inputs alone, where a label was trained on",
        "x1,x2\n1,2\n",
        "a.csv, line 1: expected a label column «label», but each column is an input; add the column of labels, or use rai predict, which needs none",
        { inputs: ["x1", "x2"], label: "label" }
      ],
      [
        "a short row",
        "x1,x2,label\n1,2,0\n1,2\n",
        "a.csv, line 3: expected 3 cells, one for each column of the header, but 2 came; add or remove cells, and put quotes around a cell that holds a comma"
      ],
      [
        "a long row",
        "x1,label\n1,2,0\n",
        "a.csv, line 2: expected 2 cells, one for each column of the header, but 3 came; add or remove cells, and put quotes around a cell that holds a comma"
      ],
      [
        "a header name twice",
        "x,x,label\n1,2,0\n",
        "a.csv, line 1: expected a different name for each column, but «x» came twice; rename one of the two"
      ],
      [
        "a column without a name",
        ",x,label\n0,1,0\n",
        "a.csv, line 1: expected a name for each column, but column 1 has none; name the column or remove it"
      ],
      [
        "no header",
        "1,2,0\n3,4,1\n",
        "a.csv, line 1: expected a header with the names of the columns, but the numbers «1», «2», «0» came; add a header as the first line"
      ],
      [
        "no header, and a text as the label",
        "5.1,3.5,5.1,cat\n4.9,3,1.4,dog\n",
        "a.csv, line 1: expected a header with the names of the columns, but «5.1», «3.5», «5.1», «cat» came; add a header as the first line, or name the label's column if this is one"
      ],
      [
        "other separators",
        "x1;x2;label\n1;2;0\n",
        "a.csv, line 1: expected input columns and a label column, but only «x1;x2;label» came; separate the columns by commas"
      ],
      [
        "a quote left open",
        'x1,label\n"1,0\n2,1\n',
        "a.csv, line 2: expected well-formed CSV, but a quote is opened and never closed; close every quote, and write a quote inside a quoted cell twice"
      ],
      [
        "a quote inside a cell",
        'x1,label\n1"5,0\n',
        "a.csv, line 2: expected well-formed CSV, but a quote stands inside an unquoted cell; close every quote, and write a quote inside a quoted cell twice"
      ],
      [
        "text after a quote",
        'x1,label\n"1"5,0\n',
        "a.csv, line 2: expected well-formed CSV, but text follows a closing quote; close every quote, and write a quote inside a quoted cell twice"
      ],
      [
        "another encoding, in which different classes would become one",
        Buffer.from("a,label\n1,klein\n2,größe\n3,grüße\n", "latin1"),
        "a.csv, line 3: expected text in UTF-8, but «gr\uFFFD\uFFFDe» holds bytes that are none; save the file as UTF-8"
      ],
      [
        "another encoding, of the label's name",
        Buffer.from("a,größe\n1,2\n", "latin1"),
        "a.csv, line 1: expected text in UTF-8, but «gr\uFFFD\uFFFDe» holds bytes that are none; save the file as UTF-8",
        { label: "größe" }
      ],
      [
        "another encoding, of a cell among numbers",
        Buffer.from("a,label\n1,0\n2\xA0,1\n", "latin1"),
        "a.csv, line 3: expected text in UTF-8, but «2\uFFFD» holds bytes that are none; save the file as UTF-8"
      ],
      [
        "a gzip cut short",
        gzipSync(good).subarray(0, 30),
        "a.csv.gz: expected a whole gzip file, but it is cut short or damaged (unexpected end of file); copy or download the file again",
        {},
        "a.csv.gz"
      ],
      [
        "a gzip that is none",
        good,
        "a.csv.gz: expected a gzip file, which begins 1f 8b, as its name says, but 78 31 came; take .gz off its name if it is plain, or download it again",
        {},
        "a.csv.gz"
      ]
    ]
    for (const [name, content, message, options, file = "a.csv"] of bad) {
      it.effect(name, () =>
        Effect.gen(function* () {
          assert.strictEqual(yield* Effect.flip(readFile(file, content, options)), message)
          assert.notInclude(message, "\n")
        })
      )
    }

    it.effect("an early fault of a long file at once, and a late one of a gzip cut short at its line", () =>
      Effect.gen(function* () {
        const lines = Array.from({ length: 50_000 }, (_, i) => `${Math.sin(i)},${i % 2}`)
        lines[20] = "x,0"
        const whole = gzipSync(`a,y\n${lines.join("\n")}`)
        const message = yield* Effect.flip(readFile("a.csv.gz", whole.subarray(0, whole.length / 2)))
        assert.include(message, "a.csv.gz, line 22, column «a»: expected a number, but «x» came")
      })
    )

    it.effect("a column of inputs that comes twice", () =>
      Effect.gen(function* () {
        const files = FileSystem.layerNoop({
          stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
          stream: () => Stream.make(new TextEncoder().encode("a,b,b\n1,2,3\n"))
        })
        const { message } = yield* Effect.flip(Effect.provide(Csv.inputs("a.csv", { names: ["a", "b"] }), files))
        assert.include(message, "a different name for each column, but «b» came twice")
      })
    )

    it.effect("other separators where the columns are known", () =>
      Effect.gen(function* () {
        const message = yield* Effect.flip(readFile("a.csv", "x1;x2;label\n1;2;0\n", { inputs: ["x1", "x2"] }))
        assert.strictEqual(
          message,
          "a.csv, line 1: expected an input column «x1», but «x1;x2;label» is one column; save it with commas between the columns"
        )
      })
    )

    it.effect("a file that is not there, and a folder", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        assert.strictEqual(
          (yield* Effect.flip(Csv.read(`${folder}/none.csv`))).message,
          `${folder}/none.csv: expected a file, but there is none at this path; check the path`
        )
        assert.strictEqual(
          (yield* Effect.flip(Csv.read(folder))).message,
          `${folder}: expected a file, but this is a folder; give the path of a .csv or .csv.gz file`
        )
      })
    )

    for (const path of ["a.csv", "a.csv.gz"]) {
      const disk = (stream: Stream.Stream<Uint8Array, PlatformError.PlatformError>) =>
        FileSystem.layerNoop({
          stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
          stream: () => stream
        })

      it.effect(`a file that cannot be read: ${path}`, () =>
        Effect.gen(function* () {
          const error = PlatformError.systemError({ _tag: "PermissionDenied", module: "FileSystem", method: "stream" })
          const read = Csv.read(path).pipe(Effect.provide(disk(Stream.fail(error))))
          assert.strictEqual(
            (yield* Effect.flip(read)).message,
            `${path}: expected a file, but reading it is not permitted; check the path`
          )
        })
      )

      it.effect(`to hold a file open once interrupted: ${path}`, () =>
        Effect.gen(function* () {
          const [opened, closed] = [Latch.makeUnsafe(), Latch.makeUnsafe()]
          const endless = Stream.concat(Stream.fromEffectDrain(opened.open), Stream.never).pipe(
            Stream.ensuring(closed.open)
          )
          const fiber = yield* Effect.forkChild(Csv.read(path).pipe(Effect.provide(disk(endless))))
          yield* opened.await
          yield* Fiber.interrupt(fiber)
          yield* closed.await // or the test runs out of time
        })
      )
    }

    it.effect("with line and column as data, too", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = `${yield* fs.makeTempDirectoryScoped()}/a.csv`
        yield* fs.writeFileString(path, "x1,x2,label\n1,2,0\n3,,1\n")
        const { source, line, column } = yield* Effect.flip(Csv.read(path))
        assert.deepStrictEqual({ source, line, column }, { source: path, line: 3, column: "x2" })
      })
    )
  })
})
