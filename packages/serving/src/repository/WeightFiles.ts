/**
 * The files beside a model that hold its weights, which change what it answers as its own file does.
 */
import { join } from "node:path"
import { External, Model, ModelFile } from "@rai/export"
import { Effect } from "effect"

/** Of a model's file with this stamp; asked again with the same stamp, nothing is read. None where the file is no model. */
export const make = () => {
  const known = new Map<string, { readonly stamp: string; readonly files: ReadonlyArray<string> }>()
  return Effect.fnUntraced(function* (file: string, stamp: string) {
    const before = known.get(file)
    if (before?.stamp === stamp) return before.files
    const files = yield* ModelFile.read(file).pipe(
      Effect.flatMap((bytes) => Model.decode(bytes, file)),
      Effect.map((model) => External.locations(model).map((location) => join(file, "..", location))),
      Effect.orElseSucceed((): ReadonlyArray<string> => [])
    )
    known.set(file, { stamp, files })
    return files
  })
}
