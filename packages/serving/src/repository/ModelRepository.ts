/**
 * Where models come from: one .onnx file, or a folder of them, or Triton's layout (`name/1/model.onnx`).
 */
import { Parity } from "@rai/export"
import { Context, Effect, FileSystem, Layer, Option, Path, Result, Schema } from "effect"
import * as Labels from "./Labels.ts"
import * as ModelSettings from "./ModelSettings.ts"
import * as WeightFiles from "./WeightFiles.ts"

/** One version's file; `stamp` changes when the file, its weights beside it, its parity record, the model's settings or its labels do. */
export interface VersionFile {
  readonly version: string
  readonly path: string
  readonly stamp: string
  /** The model's own, where its settings may name files. */
  readonly folder?: string | undefined
}

/** A model as it lies in the repository; a file without a version is version 1. */
export interface ModelEntry {
  readonly name: string
  readonly versions: ReadonlyArray<VersionFile>
  readonly settings: ModelSettings.ModelSettings
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

/** A model whose settings cannot be read. */
export class SettingsInvalid extends Schema.TaggedError<SettingsInvalid>()("SettingsInvalid", {
  model: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `the model "${this.model}": expected its config.json to be Triton's ModelConfig as JSON, but ${this.reason}; correct it, or take it away to serve the model as it is`
  }
}

/** The models that there are. */
export class ModelRepository extends Context.Service<
  ModelRepository,
  {
    /** Each model by name; one whose settings cannot be read is told with its error and does not hide the others. */
    readonly list: Effect.Effect<ReadonlyArray<Result.Result<ModelEntry, SettingsInvalid>>, RepositoryInvalid>
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
        const infoOf = (file: string) => fs.stat(file).pipe(Effect.option, Effect.map(Option.getOrUndefined))
        const isFile = (file: string) => Effect.map(infoOf(file), (info) => info?.type === "File")
        const stampOf = Effect.fnUntraced(function* (file: string) {
          const info = yield* infoOf(file)
          if (info === undefined) return ""
          const ino = Option.getOrElse(info.ino, () => 0)
          return `${ino}:${info.size}:${Option.match(info.mtime, { onNone: () => 0, onSome: (time) => time.getTime() })}`
        })
        const weightsOf = WeightFiles.make()
        const versionOf = Effect.fnUntraced(function* (
          version: string,
          file: string,
          beside: ReadonlyArray<string> = []
        ) {
          const own = yield* stampOf(file)
          const others = [...(yield* weightsOf(file, own)), Parity.fileOf(file), ...beside]
          return { version, path: file, stamp: [own, ...(yield* Effect.forEach(others, stampOf))].join(" ") }
        })

        const settingsOf = Effect.fnUntraced(function* (model: string, file: string) {
          if (!(yield* isFile(file))) return {}
          const invalid = (reason: string) => new SettingsInvalid({ model, reason })
          const text = yield* Effect.mapError(fs.readFileString(file), () => invalid("it cannot be read"))
          return yield* ModelSettings.parse(text).pipe(Effect.mapError(invalid))
        })

        // An entry that is no folder has no versions.
        const folder = Effect.fnUntraced(function* (name: string) {
          const place = path.join(repository, name)
          const entries = yield* fs.readDirectory(place).pipe(Effect.orElseSucceed(() => []))
          const config = path.join(place, "config.json")
          const settings = yield* Effect.result(settingsOf(name, config))
          const labels = Result.isSuccess(settings) ? Labels.files(settings.success) : []
          const beside = [config, ...labels.map((file) => path.join(place, file))]
          const versions: Array<VersionFile> = []
          for (const version of entries.filter((entry) => /^[1-9]\d{0,8}$/.test(entry))) {
            const file = path.join(place, version, "model.onnx")
            if (yield* isFile(file)) versions.push({ ...(yield* versionOf(version, file, beside)), folder: place })
          }
          if (versions.length === 0) return []
          return [Result.map(settings, (settings): ModelEntry => ({ name, versions, settings }))]
        })
        const single = Effect.fnUntraced(function* (file: string) {
          const name = path.basename(file, ".onnx")
          return [Result.succeed<ModelEntry>({ name, versions: [yield* versionOf("1", file)], settings: {} })]
        })

        const find = Effect.fnUntraced(function* () {
          if (yield* isFile(repository)) return repository.endsWith(".onnx") ? yield* single(repository) : []
          const entries = yield* fs.readDirectory(repository)
          const found = yield* Effect.forEach(entries.sort(), (entry) =>
            entry.endsWith(".onnx") ? single(path.join(repository, entry)) : folder(entry)
          )
          return found.flat()
        })

        const list = Effect.gen(function* () {
          const invalid = (reason: string) => new RepositoryInvalid({ repository, reason })
          const models = yield* find().pipe(
            Effect.mapError(() => invalid("nothing readable is there; give another path"))
          )
          if (models.length === 0) return yield* invalid("no model is there; put one there or give another path")
          const names = models.map((model) => (Result.isSuccess(model) ? model.success.name : model.failure.model))
          const twice = names.find((name, index) => names.indexOf(name) < index)
          if (twice !== undefined) {
            return yield* invalid(`the name "${twice}" is there twice; rename or remove one of the two`)
          }
          return models
        })
        return ModelRepository.of({ list })
      })
    )
}
