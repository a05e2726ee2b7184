/**
 * A model's class labels: a file in its own folder, named by its settings, whose line i (from 0) is the label of class i.
 */
import { join } from "node:path"
import { ModelFile } from "@rai/export"
import { Effect, FileSystem, Option } from "effect"
import { quote } from "../InferTensor.ts"
import { ModelLoadFailed } from "../worker/ModelWorker.ts"
import type { ModelSettings } from "./ModelSettings.ts"

/** Labels by output name. */
export type Labels = ReadonlyMap<string, ReadonlyArray<string>>

/** Maximum number of bytes in a label file. */
export const maxBytes = 4 * 1024 * 1024

const named = ({ output = [] }: ModelSettings) =>
  output.flatMap(({ label_filename: file = "", name }) => (file === "" ? [] : [{ name, file }]))

/** The label files that the settings name. */
export const files = (settings: ModelSettings): ReadonlyArray<string> => named(settings).map(({ file }) => file)

/** Makes the reader of labels from a model's folder; a model without a folder can have none. */
export const make = Effect.map(FileSystem.FileSystem, (fs) => {
  const read = Effect.fnUntraced(function* (folder: string, file: string) {
    const unreadable = () => "cannot be read"
    const path = ModelFile.beside(join(folder, "config.json"), file)
    if (path === "outside") return yield* Effect.fail("lie outside the model's folder")
    if (path === undefined) return yield* Effect.fail(unreadable())
    const { nlink, size, type } = yield* Effect.mapError(fs.stat(path), unreadable)
    if (type !== "File") return yield* Effect.fail("are in no file")
    if (Option.getOrElse(nlink, () => 1) > 1) {
      return yield* Effect.fail("are in a file that has another name too, a hard link, maybe outside the folder")
    }
    if (size > maxBytes) return yield* Effect.fail(`are ${size} bytes, and may be ${maxBytes}`)
    return (yield* Effect.mapError(fs.readFileString(path), unreadable)).split(/\r?\n/)
  })

  return Effect.fnUntraced(function* (
    model: string,
    settings: ModelSettings,
    folder: string | undefined
  ): Effect.fn.Return<Labels, ModelLoadFailed> {
    const labels = new Map<string, ReadonlyArray<string>>()
    for (const { file, name } of named(settings)) {
      const refuse = (reason: string) =>
        new ModelLoadFailed({ model, reason: `its labels in ${quote(file)} ${reason}` })
      if (folder === undefined) {
        return yield* refuse('have no folder to lie in, for the model has none; leave "label_filename" out')
      }
      labels.set(name, yield* Effect.mapError(read(folder, file), refuse))
    }
    return labels
  })
})
