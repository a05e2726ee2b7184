/**
 * Sources of operator cases: folders as the `onnx` package writes them, or the packed file in the repository.
 */
import { gunzipSync } from "node:zlib"
import type { OperatorCase } from "@rai/export/reading"
import { Effect, FileSystem, Option, Path, Schema } from "effect"

const Packed = Schema.fromJsonString(
  Schema.Struct({
    name: Schema.String,
    model: Schema.Uint8ArrayFromBase64,
    inputs: Schema.Array(Schema.Uint8ArrayFromBase64),
    outputs: Schema.Array(Schema.Uint8ArrayFromBase64)
  })
)

/** Reads the cases in a folder: every subfolder with a `model.onnx` and a `test_data_set_0`. */
export const inFolder = Effect.fn("Cases.inFolder")(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = (yield* fs.readDirectory(folder)).toSorted()
  const found = yield* Effect.forEach(names, (name) => one(path.join(folder, name), name))
  return found.flatMap(Option.toArray)
})

const one = Effect.fnUntraced(function* (folder: string, name: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const [model, data] = [path.join(folder, "model.onnx"), path.join(folder, "test_data_set_0")]
  if (!(yield* fs.exists(model)) || !(yield* fs.exists(data))) return Option.none()
  const files = yield* fs.readDirectory(data)
  const count = (kind: string) => files.filter((file) => file.startsWith(`${kind}_`)).length
  const read = (kind: string) =>
    Effect.forEach(
      Array.from({ length: count(kind) }, (_, i) => path.join(data, `${kind}_${i}.pb`)),
      (file) => fs.readFile(file)
    )
  const found: OperatorCase.OperatorCase = {
    name,
    model: yield* fs.readFile(model),
    inputs: yield* read("input"),
    outputs: yield* read("output")
  }
  return Option.some(found)
})

/** Reads the cases in a gzipped file with one JSON object per line. */
export const inFile = Effect.fn("Cases.inFile")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = new TextDecoder().decode(gunzipSync(yield* fs.readFile(file)))
  return yield* Effect.forEach(text.trimEnd().split("\n"), (line) => Schema.decodeEffect(Packed)(line))
})

/**
 * The file of cases in the repository: the small ones of onnx 1.23.2 (https://github.com/onnx/onnx, Apache License 2.0, © ONNX Project
 * Contributors), unchanged, as written by `cases.py` and packed by `pack.ts`.
 */
export const packed = new URL("../cases.jsonl.gz", import.meta.url).pathname
