/**
 * The external weight files beside a model, which change what it answers just as its own file does.
 */
import { join } from "node:path"
import { External, Model, ModelFile } from "@rai/export"
import { Effect } from "effect"

/** Makes a lookup of a model file's weight files, which reads nothing while the file's stamp is the same; none where the file is not a model. */
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
