/**
 * Where models come from: one .onnx file, or a folder of them, or Triton's layout (`name/1/model.onnx`).
 */
import { Parity } from "@rai/export"
import { Context, Effect, FileSystem, Layer, Option, Path, type PlatformError, Result, Schema } from "effect"
import { quote } from "../InferTensor.ts"
import * as Labels from "./Labels.ts"
import * as ModelSettings from "./ModelSettings.ts"
import * as WeightFiles from "./WeightFiles.ts"

/** One version's file; `stamp` changes with the file, its external weights, its parity record, the model's settings or its labels. */
export interface VersionFile {
  readonly version: string
  readonly path: string
  readonly stamp: string
  /** The model's own folder, where its settings may name files. */
  readonly folder?: string | undefined
  /** The file's content, where it came with a request and is stored nowhere. */
  readonly bytes?: Uint8Array | undefined
}

/** A model as the repository has it; a file without a version number is version 1. */
export interface ModelEntry {
  readonly name: string
  /** None where its folder holds its settings alone. */
  readonly versions: ReadonlyArray<VersionFile>
  readonly settings: Result.Result<ModelSettings.ModelSettings, ModelInvalid>
  /** Why none of it can be served, whatever its settings. */
  readonly fault?: ModelInvalid | undefined
  /** What the repository's maintainer should know. */
  readonly warning?: string | undefined
}

/** There is nothing to serve at this path. */
export class RepositoryInvalid extends Schema.TaggedError<RepositoryInvalid>()("RepositoryInvalid", {
  repository: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `the repository "${this.repository}": expected a .onnx file or a folder of .onnx files, but ${this.reason}`
  }
}

/** A model whose settings cannot be followed, that cannot be read, or that is there twice. */
export class ModelInvalid extends Schema.TaggedError<ModelInvalid>()("ModelInvalid", {
  model: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `the model "${this.model}" cannot be served as it lies in the repository: ${this.reason}`
  }
}

/** The models that there are to serve. */
export class ModelRepository extends Context.Service<
  ModelRepository,
  {
    /** Where the repository is, as given by whoever serves it. */
    readonly place: string
    /** All models, by name; one with unreadable settings does not hide the others. */
    readonly list: Effect.Effect<ReadonlyArray<ModelEntry>, RepositoryInvalid>
  }
>()("@rai/serving/repository/ModelRepository") {
  /** A file or folder, read afresh at each `list`. */
  static readonly layer = (
    repository: string
  ): Layer.Layer<ModelRepository, never, FileSystem.FileSystem | Path.Path> =>
    Layer.effect(
      ModelRepository,
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        // Only these two mean that nothing is there (the second: a file on the way, or links in a circle); whatever else fails says nothing.
        const isNothing = ({ reason }: PlatformError.PlatformError) =>
          reason._tag === "NotFound" || reason._tag === "BadResource"
        const infoOf = (file: string) =>
          Effect.catchIf(fs.stat(file), isNothing, () => Effect.succeed<FileSystem.File.Info | undefined>(undefined))
        const isFile = (file: string) => Effect.map(infoOf(file), (info) => info?.type === "File")
        const stampOf = Effect.fnUntraced(function* (file: string) {
          const info = yield* infoOf(file)
          if (info === undefined) return ""
          const ino = Option.getOrElse(info.ino, () => 0)
          return `${ino}:${info.size}:${Option.match(info.mtime, { onNone: () => 0, onSome: (time) => time.getTime() })}`
        })
        const weightsOf = WeightFiles.make()
        // None where the file has gone since it was found.
        const versionOf = Effect.fnUntraced(function* (
          version: string,
          file: string,
          beside: ReadonlyArray<string> = []
        ) {
          const own = yield* stampOf(file)
          if (own === "") return []
          const others = [...(yield* weightsOf(file, own)), Parity.fileOf(file), ...beside]
          return [{ version, path: file, stamp: [own, ...(yield* Effect.forEach(others, stampOf))].join(" ") }]
        })

        const none: Effect.Success<ReturnType<typeof ModelSettings.read>> = { settings: {}, unfollowed: [] }
        const settingsOf = Effect.fnUntraced(function* (model: string, file: string) {
          const invalid = (reason: string) =>
            new ModelInvalid({ model, reason: `its ${path.basename(file)}: ${reason}` })
          const text = yield* fs.readFileString(file).pipe(
            // Removed since it was found: as if it had not been.
            Effect.catchIf(isNothing, () => Effect.undefined),
            Effect.mapError(() => invalid("it cannot be read"))
          )
          if (text === undefined) return none
          const form = file.endsWith(".json") ? "json" : "text"
          return yield* Effect.mapError(ModelSettings.read(model, text, form), invalid)
        })

        // Anything that is not a folder has no versions.
        const folder = Effect.fnUntraced(function* (
          name: string
        ): Effect.fn.Return<ReadonlyArray<ModelEntry>, PlatformError.PlatformError> {
          const place = path.join(repository, name)
          if ((yield* infoOf(place))?.type !== "Directory") return []
          const entries = yield* fs.readDirectory(place)
          const configs = ["config.json", "config.pbtxt"].map((file) => path.join(place, file))
          // Before they are read: what changes since shows at the next look.
          const stamps = yield* Effect.forEach(configs, stampOf)
          const [config, other] = yield* Effect.filter(configs, (file) => isFile(file))
          const read = config === undefined ? Result.succeed(none) : yield* Effect.result(settingsOf(name, config))
          const settings = Result.map(read, ({ settings }): ModelSettings.ModelSettings => settings)
          const model = Result.getOrUndefined(settings)?.default_model_filename || "model.onnx"
          const labels = Result.isSuccess(settings) ? Labels.files(settings.success) : []
          const beside = labels.map((file) => path.join(place, file))
          const versions: Array<VersionFile> = []
          for (const version of entries.filter((entry) => /^[1-9]\d{0,8}$/.test(entry))) {
            const file = path.join(place, version, model)
            if (!(yield* isFile(file))) continue
            for (const found of yield* versionOf(version, file, beside)) {
              versions.push({ ...found, stamp: [found.stamp, ...stamps].join(" "), folder: place })
            }
          }
          if (config === undefined && versions.length === 0) return []
          const warnings = [
            other && "its config.json counts, and its config.pbtxt does not",
            Result.isSuccess(read) ? ModelSettings.warning(read.success.unfollowed) : undefined
          ].filter((warning) => warning !== undefined)
          return [{ name, versions, settings, warning: warnings.length === 0 ? undefined : warnings.join("; ") }]
        })
        const single = Effect.fnUntraced(function* (
          file: string
        ): Effect.fn.Return<ReadonlyArray<ModelEntry>, PlatformError.PlatformError> {
          const name = path.basename(file, ".onnx")
          const versions = yield* versionOf("1", file)
          return versions.length === 0 ? [] : [{ name, versions, settings: Result.succeed({}) }]
        })
        // Such as what macOS keeps beside each file on other disks, and what a Linux volume keeps for its repair, readable by root alone.
        const isSystems = (entry: string) => entry.startsWith(".") || entry === "lost+found"
        const modelsOf = (entry: string) => {
          const isSingle = entry.endsWith(".onnx")
          const name = path.basename(entry, ".onnx")
          return (isSingle ? single(path.join(repository, entry)) : folder(entry)).pipe(
            Effect.catch((error): Effect.Effect<ReadonlyArray<ModelEntry>> => {
              if (isNothing(error)) return Effect.succeed([])
              const at = error.reason._tag === "BadArgument" ? undefined : error.reason.pathOrDescriptor
              const within = typeof at === "string" ? path.relative(path.join(repository, entry), at) : ""
              const what = within !== "" ? quote(within) : isSingle ? "file" : "folder"
              const fault = new ModelInvalid({ model: name, reason: `its ${what} cannot be read` })
              return Effect.succeed([{ name, versions: [], settings: Result.succeed({}), fault }])
            })
          )
        }

        const find = Effect.fnUntraced(function* (): Effect.fn.Return<
          ReadonlyArray<ModelEntry>,
          PlatformError.PlatformError
        > {
          if (yield* isFile(repository)) return yield* single(repository)
          const entries = yield* fs.readDirectory(repository)
          const found = yield* Effect.forEach(entries.filter((entry) => !isSystems(entry)).sort(), modelsOf)
          return found.flat()
        })

        const moved = "it was moved or replaced while it was read; it is looked at again"
        const once = Effect.gen(function* () {
          const refuse = (reason: string) => () => new RepositoryInvalid({ repository, reason })
          const unreadable = Effect.mapError(refuse("nothing readable is there; give another path"))
          const before = yield* unreadable(fs.stat(repository))
          if (before.type === "File" && !repository.endsWith(".onnx")) {
            return yield* refuse("no model is there; put one there or give another path")()
          }
          const models = yield* unreadable(find())
          // What was not found may have gone with the whole repository.
          const after = yield* Effect.mapError(fs.stat(repository), refuse(moved))
          if (after.dev !== before.dev || Option.getOrUndefined(after.ino) !== Option.getOrUndefined(before.ino)) {
            return yield* refuse(moved)()
          }
          return [...Map.groupBy(models, ({ name }) => name)].map(([name, [model, ...others]]): ModelEntry => {
            if (others.length === 0) return model!
            const reason = `a folder ${quote(name)} and a file ${quote(`${name}.onnx`)} are there; rename or remove one of the two`
            return { ...model!, fault: new ModelInvalid({ model: name, reason }) }
          })
        })
        const list = Effect.retry(once, { times: 3, while: ({ reason }) => reason === moved })
        return ModelRepository.of({ place: repository, list })
      })
    )
}
