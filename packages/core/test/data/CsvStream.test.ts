import { execFile } from "node:child_process"
import { createWriteStream } from "node:fs"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Stream } from "effect"
import * as Csv from "../../src/data/Csv.ts"
import * as Dataset from "../../src/data/Dataset.ts"

const write = Effect.fnUntraced(function* (content: string | Uint8Array, name = "a.csv") {
  const fs = yield* FileSystem.FileSystem
  const path = `${yield* fs.makeTempDirectoryScoped()}/${name}`
  yield* fs.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content)
  return path
})

/** Returns the parts, or the error message without the folder. */
const parts = (content: string | Uint8Array, options?: Csv.StreamOptions, name?: string) =>
  Effect.gen(function* () {
    const path = yield* write(content, name)
    return yield* Stream.runCollect(Csv.stream(path, options)).pipe(
      Effect.mapError((error) => error.message.replace(/^.*\/(?=a\.csv)/, ""))
    )
  }).pipe(Effect.scoped)

const join = (all: ReadonlyArray<Dataset.Dataset>, array: "inputs" | "targets") =>
  all.flatMap((part) => [...part[array].data])

const sorted = "x,kind\n1,cat\n2,cat\n3,cat\n4,dog\n5,eel\n"

layer(NodeFileSystem.layer)("Csv.stream", (it) => {
  const rows = 20_000
  const lines = Array.from({ length: rows }, (_, i) => `${Math.sin(i)},${Math.cos(i)},${"bca"[Math.floor(i / 8000)]}`)
  const long = `u,v,kind\n${lines.join("\n")}`

  for (const [name, content] of [
    ["a.csv", long],
    ["a.csv.gz", gzipSync(long)]
  ] as const) {
    for (const size of [1024, 7777, 30_000]) {
      it.effect(`gives what read gives, in parts of ${size}: ${name}`, () =>
        Effect.gen(function* () {
          const whole = yield* Effect.flatMap(write(content, name), Csv.read)
          const all = yield* parts(content, { rows: size }, name)
          assert.strictEqual(all.length, Math.ceil(rows / size))
          for (const [i, part] of all.entries()) {
            assert.strictEqual(Dataset.examples(part), Math.min(size, rows - i * size))
            assert.deepStrictEqual(part.inputNames, ["u", "v"])
            assert.deepStrictEqual(part.classNames, ["a", "b", "c"])
            assert.strictEqual(part.task, "classes")
          }
          assert.deepStrictEqual(join(all, "inputs"), [...whole.inputs.data])
          assert.deepStrictEqual(join(all, "targets"), [...whole.targets.data])
        }).pipe(Effect.scoped)
      )
    }
  }

  it.effect("learns every class before the first part, though the file is in their order", () =>
    Effect.gen(function* () {
      const all = yield* parts(sorted, { rows: 2 })
      assert.deepStrictEqual(
        all.map((part) => [...part.targets.data]),
        [
          [1, 0, 0, 1, 0, 0],
          [1, 0, 0, 0, 1, 0],
          [0, 0, 1]
        ]
      )
      assert.deepStrictEqual((yield* Effect.flatMap(write(sorted), Csv.learn)).classNames, ["cat", "dog", "eel"])
    }).pipe(Effect.scoped)
  )

  it.effect("takes classes that are given, in their order and with ones that the file lacks", () =>
    Effect.gen(function* () {
      const [part] = yield* parts(sorted, { classNames: ["eel", "dog", "ant", "cat"] })
      assert.deepStrictEqual(part!.classNames, ["eel", "dog", "ant", "cat"])
      assert.deepStrictEqual([...Dataset.labels(part!)], [3, 3, 3, 1, 0])
      const [numbers] = yield* parts("x,y\n1,01\n2,2.0\n3,10\n", { classNames: ["1", "2", "10"] })
      assert.deepStrictEqual([...Dataset.labels(numbers!)], [0, 1, 2])
    })
  )

  it.effect("reads the file once where classes are given, twice where they are not", () =>
    Effect.gen(function* () {
      let reads = 0
      const files = FileSystem.layerNoop({
        stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
        stream: () =>
          Stream.sync(() => {
            reads++
            return new TextEncoder().encode(sorted)
          })
      })
      yield* Stream.runDrain(Csv.stream("a.csv", { classNames: ["cat", "dog", "eel"] })).pipe(Effect.provide(files))
      assert.strictEqual(reads, 1)
      yield* Stream.runDrain(Csv.stream("a.csv")).pipe(Effect.provide(files))
      assert.strictEqual(reads, 3)
    })
  )

  it.effect("values, two classes and a label by its name, as read does", () =>
    Effect.gen(function* () {
      const values = yield* parts("y,x\n0.5,1\n1.5,2\n", { label: "y", task: "regression", rows: 1 })
      assert.deepStrictEqual(join(values, "targets"), [0.5, 1.5])
      const [binary] = yield* parts("x,y\n1,0\n2,1\n")
      assert.strictEqual(binary!.task, "binary")
      const [hot] = yield* parts("x,y\n1,0\n2,1\n", { task: "classes" })
      assert.deepStrictEqual([...hot!.targets.data], [1, 0, 0, 1])
    })
  )

  it.effect("runs again from the start, and stops early", () =>
    Effect.gen(function* () {
      const stream = Csv.stream(yield* write(long), { rows: 100 })
      const first = yield* Stream.runCollect(Stream.take(stream, 2))
      assert.strictEqual(first.length, 2)
      assert.strictEqual((yield* Stream.runCollect(stream)).length, 200)
    }).pipe(Effect.scoped)
  )

  const bad: ReadonlyArray<readonly [name: string, content: string, message: string, options?: Csv.StreamOptions]> = [
    [
      "a part of no rows",
      sorted,
      "a.csv, setting «rows»: expected a whole number of examples, at least 1, but 0 came; give for instance 1024",
      { rows: 0 }
    ],
    [
      "a label that is none of the classes given",
      sorted,
      "a.csv, line 5, column «kind»: expected one of the classes «cat», «eel», but «dog» came; correct the label, or name its class too",
      { classNames: ["cat", "eel"] }
    ],
    [
      "a text among classes that are numbers",
      "x,y\n1,1\n2,0x2\n",
      "a.csv, line 3, column «y»: expected one of the classes «1», «2», but «0x2» came; correct the label, or name its class too",
      { classNames: ["1", "2"] }
    ],
    [
      "an empty label",
      "x,y\n1,1\n2,\n",
      "a.csv, line 3, column «y»: expected a label, but an empty cell came; fill the cell, remove the line, or train with drop for missing values",
      { classNames: ["1", "2"] }
    ],
    [
      "a late fault before the first part",
      `${long}\nx,1,a\n`,
      "a.csv, line 20002, column «u»: expected a number, but «x» came; write a number, or train without the column or with it as categorical"
    ],
    [
      "one class",
      "x,y\n1,a\n",
      "a.csv, column «y»: expected at least two classes, but every label is «a»; add examples of another class"
    ],
    [
      "a column of values as classes, without keeping them all",
      `x,y\n${Array.from({ length: 20_000 }, (_, i) => `1,${i}`).join("\n")}`,
      "a.csv, column «y»: expected at most 1000 classes, but 10240 came; choose another label column, or the task regression if this one holds values",
      { rows: 1024 }
    ],
    [
      "no rows",
      "x,y\n",
      "a.csv: expected at least one example below the header, but no rows came; add rows to the file"
    ],
    [
      "an empty file",
      "",
      "a.csv: expected a header line and examples below it, but the file is empty; give a file with data"
    ]
  ]
  for (const [name, content, message, options] of bad) {
    it.effect(`refuses ${name}`, () =>
      Effect.gen(function* () {
        let came = 0
        const path = yield* write(content)
        const run = Stream.runForEach(Csv.stream(path, options), () => Effect.sync(() => came++))
        assert.strictEqual((yield* Effect.flip(run)).message.replace(/^.*\/(?=a\.csv)/, ""), message)
        assert.strictEqual(came, 0)
      }).pipe(Effect.scoped)
    )
  }

  it.effect(
    "a file of 40 MB within 32 MB of heap, the process growing by less than half of the file",
    () =>
      Effect.gen(function* () {
        const examples = 100_000
        const width = 40
        const path = yield* write("")
        const names = Array.from({ length: width }, (_, i) => `x${i}`)
        const text = function* () {
          yield `${names.join(",")},kind\n`
          for (let i = 0; i < examples; i++) yield `${names.map((_, k) => `${i + k}.125`).join(",")},${i % 3}\n`
        }
        yield* Effect.promise(() => pipeline(Readable.from(text()), createWriteStream(path)))
        const { size } = yield* (yield* FileSystem.FileSystem).stat(path)
        assert.isAtLeast(Number(size), 38e6)
        const script = fileURLToPath(new URL("fixtures/stream-csv.ts", import.meta.url))
        const limits = ["--max-old-space-size=32", "--max-semi-space-size=4"]
        const { stdout } = yield* Effect.promise(() => promisify(execFile)(process.execPath, [...limits, script, path]))
        const told: { readonly examples: number; readonly sum: number; readonly growth: number } = JSON.parse(stdout)
        assert.strictEqual(told.examples, examples)
        // Σ over i and k of i + k + 1/8, exact in binary
        const sum = width * ((examples * (examples - 1)) / 2) + examples * ((width * (width - 1)) / 2)
        assert.strictEqual(told.sum, sum + (examples * width) / 8)
        assert.isBelow(told.growth, Number(size) / 2)
      }).pipe(Effect.scoped),
    60_000
  )
})
