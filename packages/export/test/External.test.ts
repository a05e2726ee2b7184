/**
 * Weights in a file beside the model: written, replaced, checked against the record, and never read from outside the model's folder.
 */
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { fromBinary, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import { Circuit, NdArray, ReferenceEngine, Sha256, TfjsEngine } from "@rai/core"
import { Effect } from "effect"
import * as Onnx from "../src/Onnx.ts"
import { type ModelProto, ModelProtoSchema, TensorProto_DataLocation } from "../src/onnx_pb.ts"
import * as Predict from "../src/Predict.ts"
import * as Verify from "../src/Verify.ts"
import * as Elsewhere from "./Elsewhere.ts"
import * as Folder from "./Folder.ts"
import { off } from "./Off.ts"
import * as Trained from "./Trained.ts"

const apart = { externalData: true } as const

const write = (trained: ReturnType<typeof Trained.make>, file: string, options: Onnx.Files = apart) =>
  Effect.provide(Onnx.write(trained, file, options), TfjsEngine.layerWasm)

const wide = Trained.make([2, 64, 64, 3], { activation: "tanh", task: "classes" })
const other = Trained.make([2, 64, 64, 3], { activation: "tanh", task: "classes", seed: 1 })

const decoded = (file: string): ModelProto => fromBinary(ModelProtoSchema, new Uint8Array(readFileSync(file)))

const places = (file: string) =>
  decoded(file)
    .graph!.initializer.filter(({ dataLocation }) => dataLocation === TensorProto_DataLocation.EXTERNAL)
    .map(({ externalData, name }) => {
      const said = Object.fromEntries(externalData.map(({ key, value }) => [key, value]))
      return { name, location: said.location!, offset: Number(said.offset), length: Number(said.length) }
    })

const refusal = (folder: string, effect: Effect.Effect<unknown, { readonly message: string }>) =>
  Effect.map(Effect.flip(effect), ({ message }) => message.replaceAll(`${folder}/`, ""))

describe("weights beside the model", () => {
  it.effect("are those of the model in one file, at offsets that can be mapped; small ones stay where they were", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const [one, two] = [join(folder, "one.onnx"), join(folder, "two.onnx")]
      // 2^20 bytes and more lie where Windows begins to map too.
      const large = Trained.make([2, 512, 512, 64, 3], { activation: "relu", task: "classes" })
      yield* write(large, one, {})
      const record = yield* write(large, two)
      assert.deepStrictEqual(readdirSync(folder), [
        "one.onnx",
        "one.parity.json",
        "two.onnx",
        "two.onnx.data",
        "two.parity.json"
      ])
      assert.deepStrictEqual(
        places(two).map(({ length, location, name, offset }) => [name, location, offset, length]),
        [
          ["0.weight", "two.onnx.data", 0, 4096],
          ["0.bias", "two.onnx.data", 4096, 2048],
          ["2.weight", "two.onnx.data", 65536, 2 ** 20],
          ["2.bias", "two.onnx.data", 65536 + 2 ** 20, 2048],
          ["4.weight", "two.onnx.data", 65536 + 2 ** 20 + 4096, 131072]
        ]
      )
      const data = readFileSync(join(folder, "two.onnx.data"))
      const whole = new Map(decoded(one).graph!.initializer.map(({ name, rawData }) => [name, rawData]))
      for (const { length, name, offset } of places(two)) {
        assert.isTrue(data.subarray(offset, offset + length).equals(whole.get(name)!), name)
      }
      assert.isBelow(readFileSync(two).length, 8192)
      assert.deepStrictEqual(Object.keys(record.external!), ["two.onnx.data"])

      assert.strictEqual((yield* Verify.verify(two)).maxAbsDifference, record.maxAbsDifference)
      const x = NdArray.make([2, 2], [0.5, -1, 2, 0])
      const answers = yield* Predict.predict(one, x)
      assert.deepStrictEqual(yield* Predict.predict(two, x), answers)
      const onEngine = yield* Effect.provide(Predict.onEngine(two, x), ReferenceEngine.layer)
      assert.closeTo(onEngine.outputs.logit!.data[0]!, answers.outputs.logit!.data[0]!, 1e-5)
      assert.deepStrictEqual((yield* Onnx.read(two)).parameters, (yield* Onnx.read(one)).parameters)
    })
  )

  it.effect("can be of half and of quarter size, and images and categories have them too", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const images = Circuit.sequence(
        Circuit.unflatten({ channels: 1, height: 4, width: 4 }),
        Circuit.conv2d({ channels: 1, filters: 32, kernel: 3, padding: 1 }),
        Circuit.maxPool2d({ kernel: 2 }),
        Circuit.flatten,
        Circuit.layerNorm(128),
        Circuit.linear(128, 3)
      )
      const words = Circuit.sequence(
        Circuit.embedding({ inputs: 2, categories: 300, units: 4 }),
        Circuit.flatten,
        Circuit.linear(8, 64),
        Circuit.tanh,
        Circuit.repeat(Circuit.residual(Circuit.sequence(Circuit.linear(64, 64), Circuit.gelu)), 4),
        Circuit.linear(64, 3)
      )
      const models = {
        whole: [wide, apart],
        half: [wide, { ...apart, weights: "float16" }],
        quarter: [wide, { ...apart, weights: "int8" }],
        images: [Trained.of(images, { task: "classes" }), apart],
        words: [Trained.of(words, { task: "classes" }), apart]
      } as const
      const records = []
      for (const [name, [trained, options]] of Object.entries(models)) {
        const file = join(folder, `${name}.onnx`)
        records.push([file, yield* write(trained, file, options)] as const)
        assert.isAbove(places(file).length, 0)
        yield* Verify.verify(file)
      }
      if (Elsewhere.isThere) Elsewhere.agrees(Object.fromEntries(records), 1e-5)
    })
  )

  it.effect(
    "are held to the record: a byte that changed, files that are missing, a record that does not know them",
    () =>
      Effect.gen(function* () {
        const folder = yield* Folder.make
        const [file, data] = [join(folder, "m.onnx"), join(folder, "m.onnx.data")]
        const { external, ...record } = yield* write(wide, file)
        const good = readFileSync(data)
        for (const at of [0, 100, good.length - 1]) {
          const bytes = Buffer.from(good)
          bytes[at]! ^= 1
          writeFileSync(data, bytes)
          assert.match(
            yield* refusal(folder, Verify.verify(file)),
            /^m\.onnx\.data: expected the file whose SHA-256 its parity record holds, [\da-f]{64}, but [\da-f]{64} came: the file has changed/
          )
        }
        writeFileSync(data, good)
        writeFileSync(join(folder, "m.parity.json"), JSON.stringify(record))
        assert.strictEqual(
          yield* refusal(folder, Verify.verify(file)),
          "m.parity.json: expected the parity record of a model, but it says nothing of «m.onnx.data», where weights of the model lie; export the model again with `rai export`"
        )
        rmSync(data)
        const missing =
          "m.onnx: expected arrays that can be read, but the data of «2.weight» in «m.onnx.data» cannot be read; export the model again from where it comes"
        writeFileSync(join(folder, "m.parity.json"), JSON.stringify({ ...record, external }))
        const x = NdArray.make([1, 2], [0, 0])
        for (const use of [Verify.verify(file), Predict.predict(file, x)]) {
          assert.strictEqual(yield* refusal(folder, use), missing)
        }
      })
  )

  it.effect("are the same bytes again, and give way to others only once these stand beside them", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const file = join(folder, "m.onnx")
      yield* write(wide, file)
      const first = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "base64")])
      yield* write(wide, file)
      assert.deepStrictEqual(
        readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "base64")]),
        first
      )
      const record = yield* write(other, file)
      const [name] = Object.keys(record.external!)
      assert.match(name!, /^m\.onnx\.[\da-f]{16}\.data$/)
      assert.deepStrictEqual(readdirSync(folder).toSorted(), ["m.onnx", name!, "m.parity.json"].toSorted())
      yield* Verify.verify(file)

      // What cannot be written leaves all as it was.
      const before = readdirSync(folder).map((of) => [of, readFileSync(join(folder, of), "base64")])
      const lost = yield* Effect.flip(off(write(wide, file)))
      assert.strictEqual(lost._tag, "ParityLost")
      assert.deepStrictEqual(
        readdirSync(folder).map((of) => [of, readFileSync(join(folder, of), "base64")]),
        before
      )

      // What is too small to lie beside stays where it is, and nothing is written for it.
      yield* write(Trained.make([2, 3, 1]), file)
      assert.deepStrictEqual(readdirSync(folder), ["m.onnx", "m.parity.json"])

      // Back in one file, nothing stays beside it but what another model may need.
      writeFileSync(join(folder, "n.onnx.data"), "mine")
      yield* write(wide, file, {})
      assert.deepStrictEqual(readdirSync(folder), ["m.onnx", "m.parity.json", "n.onnx.data"])
    })
  )

  it.effect("of two exports to one place at once, one stands there whole", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const file = join(folder, "ünï code.onnx")
      for (let round = 0; round < 4; round++) {
        yield* Effect.all(
          [wide, other, wide].map((trained) => write(trained, file)),
          { concurrency: "unbounded" }
        )
        yield* Verify.verify(file)
      }
    })
  )

  it.effect("are whole after a crash in the midst of an export", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const file = join(folder, "m.onnx")
      const script = new URL("exporting.ts", import.meta.url).pathname
      for (const after of [7, 111, 333]) {
        const child = spawn(process.execPath, [script, file], { stdio: ["ignore", "pipe", "inherit"] })
        const exit = once(child, "exit")
        // Two pairs stood there by then, one after the other.
        yield* Effect.promise(
          () =>
            new Promise<void>((resolve) => {
              let lines = 0
              child.stdout.on("data", (chunk) => {
                lines += String(chunk).split("\n").length - 1
                if (lines >= 2) resolve()
              })
            })
        )
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, after)))
        child.kill("SIGKILL")
        yield* Effect.promise(() => exit)
        yield* Verify.verify(file)
      }
    })
  )

  it.effect("must be there as soon as a model exceeds 2 GiB, which one file cannot hold", () =>
    Effect.gen(function* () {
      // Zeros that nobody writes take no memory.
      const zeros = (...shape: ReadonlyArray<number>) => NdArray.full(shape, 0)
      const circuit = Circuit.linear(24_000, 24_000)
      const weight = { shape: [24_000, 24_000], data: new Float32Array(24_000 * 24_000) }
      const large = { ...Trained.make([2, 1], { task: "regression" }), circuit }
      const error = yield* Effect.flip(Onnx.make({ ...large, parameters: { weight, bias: zeros(24_000) } }))
      assert.strictEqual(
        error.message,
        "expected a model of at most 2147483647 bytes, as much as one file can hold, but its weights are 2304096000; write it with Onnx.write, which puts them beside it, or with smaller weights"
      )
    })
  )
})

describe("data that a model must not be given", () => {
  const places: Readonly<Record<string, readonly [Readonly<Record<string, string>>, string]>> = {
    "above the folder": [{ location: "../secret.data" }, "lie outside the model's folder"],
    "above it by a way round": [{ location: "deep/../../secret.data" }, "lie outside the model's folder"],
    "above it, written as Windows does": [{ location: "..\\secret.data" }, "lie outside the model's folder"],
    "by a link to a file": [{ location: "link.data" }, "lie outside the model's folder"],
    "by a link to a folder": [{ location: "linked/secret.data" }, "lie outside the model's folder"],
    "by a hard link": [
      { location: "hard.data" },
      "are in a file that has another name too, a hard link, maybe outside the folder"
    ],
    nowhere: [{}, "lie outside the model's folder"],
    "in a folder": [{ location: "deep" }, "are in no file"],
    "in a pipe, which is not waited for": [{ location: "pipe" }, "are in no file"],
    "behind the end": [
      { location: "m.onnx.data", offset: "999999999" },
      "are fewer than 16384 bytes from 999999999 on"
    ],
    "partly behind the end": [{ location: "m.onnx.data", offset: "4096" }, "are fewer than 16384 bytes from 4096 on"],
    "before the beginning": [{ location: "m.onnx.data", offset: "-4096" }, "begin at -4096"],
    "at no number": [{ location: "m.onnx.data", offset: "1e3" }, "begin at 1e3"],
    "of a length that is none": [{ location: "m.onnx.data", length: "-1" }, "have the length -1"],
    "of 2^70 bytes": [{ location: "m.onnx.data", length: String(2n ** 70n) }, "have the length 1180591620717411303424"]
  }

  it.effect("lie elsewhere: reading, predicting and verifying say so, and none of them opens it", () =>
    Effect.gen(function* () {
      const parent = yield* Folder.make
      const folder = join(parent, "models")
      mkdirSync(join(folder, "deep"), { recursive: true })
      const file = join(folder, "m.onnx")
      const record = yield* write(wide, file)
      const secret = join(parent, "secret.data")
      copyFileSync(join(folder, "m.onnx.data"), secret)
      symlinkSync(secret, join(folder, "link.data"))
      symlinkSync(parent, join(folder, "linked"))
      linkSync(secret, join(folder, "hard.data"))
      spawnSync("sh", ["-c", 'mkfifo "$0"', join(folder, "pipe")])
      const good = decoded(file)
      const x = NdArray.make([1, 2], [0, 0])
      for (const [of, [{ length = "16384", offset = "0", ...more }, what]] of Object.entries(places)) {
        if (of.startsWith("in a pipe") && !existsSync(join(folder, "pipe"))) continue
        const model = structuredClone(good)
        const tensor = model.graph!.initializer.find(({ name }) => name === "2.weight")!
        tensor.externalData = Object.entries({ ...more, length, offset }).map(([key, value]) => ({
          $typeName: "onnx.StringStringEntryProto",
          key,
          value
        }))
        const bytes = toBinary(ModelProtoSchema, model)
        writeFileSync(file, bytes)
        const sha256 = Sha256.hex(bytes)
        writeFileSync(join(folder, "m.parity.json"), JSON.stringify({ ...record, sha256 }))
        for (const use of [Onnx.read(file), Verify.verify(file), Predict.predict(file, x)]) {
          const said = yield* refusal(folder, use)
          assert.include(said, "m.onnx: expected ")
          assert.strictEqual(
            said.slice(said.indexOf(", but ") + 6),
            `the data of «2.weight» in «${more.location ?? ""}» ${what}; export the model again from where it comes`,
            of
          )
        }
      }
    })
  )
})
