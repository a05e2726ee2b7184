/**
 * Where models come from: one .onnx file, or a folder of them, or Triton's layout (`name/1/model.onnx`).
 */
import { Context, Effect, FileSystem, Layer, Path, Schema } from "effect"

/** A model's file; a file without a version is version 1. */
export interface ModelFile {
  readonly name: string
  readonly version: string
  readonly path: string
}

/** There is nothing to serve at this path, or two models have one name. */
export class RepositoryInvalid extends Schema.TaggedError<RepositoryInvalid>()("RepositoryInvalid", {
  repository: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `the repository "${this.repository}": expected a .onnx file or a folder of .onnx files, but ${this.reason}`
  }
}

/** The models that there are. */
export class ModelRepository extends Context.Service<
  ModelRepository,
  {
    /** Each model in its latest version, by name. */
    readonly list: Effect.Effect<ReadonlyArray<ModelFile>, RepositoryInvalid>
  }
>()("@rai/serving/repository/ModelRepository") {
  /** A file or folder, read anew at each `list`. */
  static readonly layer = (
    repository: string
  ): Layer.Layer<ModelRepository, never, FileSystem.FileSystem | Path.Path> =>
    Layer.effect(
      ModelRepository,
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const isFile = (file: string) =>
          fs.stat(file).pipe(
            Effect.map((info) => info.type === "File"),
            Effect.orElseSucceed(() => false)
          )

        // An entry that is no folder has no versions.
        const latest = Effect.fnUntraced(function* (name: string) {
          const folder = path.join(repository, name)
          const entries = yield* fs.readDirectory(folder).pipe(Effect.orElseSucceed(() => []))
          const versions = entries.filter((entry) => /^[1-9]\d*$/.test(entry)).sort((a, b) => Number(b) - Number(a))
          for (const version of versions) {
            const file = path.join(folder, version, "model.onnx")
            if (yield* isFile(file)) return [{ name, version, path: file }]
          }
          return []
        })
        const single = (file: string): ModelFile => ({ name: path.basename(file, ".onnx"), version: "1", path: file })

        const find = Effect.fnUntraced(function* () {
          if (yield* isFile(repository)) return repository.endsWith(".onnx") ? [single(repository)] : []
          const entries = yield* fs.readDirectory(repository)
          const found = yield* Effect.forEach(entries.sort(), (entry) =>
            entry.endsWith(".onnx") ? Effect.succeed([single(path.join(repository, entry))]) : latest(entry)
          )
          return found.flat()
        })

        const list = Effect.gen(function* () {
          const invalid = (reason: string) => new RepositoryInvalid({ repository, reason })
          const models = yield* find().pipe(
            Effect.mapError(() => invalid("nothing readable is there; give another path"))
          )
          if (models.length === 0) return yield* invalid("no model is there; put one there or give another path")
          const twice = models.find((model, index) => models.findIndex(({ name }) => name === model.name) < index)
          if (twice !== undefined) {
            return yield* invalid(`the name "${twice.name}" is there twice; rename or remove one of the two`)
          }
          return models
        })
        return ModelRepository.of({ list })
      })
    )
}
