/**
 * The native TensorFlow library for tfjs-node: whether it is installed, and its installation. Nothing here loads TensorFlow.js.
 */
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { Context, Effect, FileSystem, Option, Path, Schema } from "effect"
import * as Addon from "./Addon.ts"
import * as Cache from "./Cache.ts"
import * as Revision from "./Revision.ts"
import * as TensorFlowWheel from "./TensorFlowWheel.ts"
import * as TfjsNode from "./TfjsNode.ts"
import * as Tool from "./Tool.ts"
import * as Wheel from "./Wheel.ts"

// Other native libraries are downloaded with the same tools.
export { Tool, Wheel }

const require = createRequire(import.meta.url)

/** The library is in place and has been loaded once: its versions, its source, and its files. */
export class Installed extends Schema.TaggedClass<Installed>()("Installed", {
  tensorflow: Schema.String,
  tfjsNode: Schema.String,
  source: Schema.Literals(["wheel", "tfjs-node"]),
  /** Of what is compiled here; absent where tfjs-node's own installer was at work. */
  revision: Schema.optionalKey(Schema.String),
  files: Schema.Array(Schema.String)
}) {}

/** The library could not be installed here; another engine takes its place. */
export class NativeUnavailable extends Schema.TaggedError<NativeUnavailable>()("NativeUnavailable", {
  reason: Schema.String,
  remedy: Schema.String,
  /** Programs any one of which would make another attempt worthwhile; empty where the reason is another. */
  missing: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `${this.reason}: the WebAssembly engine serves, about 20 times slower; ${this.remedy} and run npm start or rai setup again`
  }
}

/** The package.json of the tfjs-node to complete; by default the project's own, else the one in the cache. */
export const Package = Context.Reference<URL | undefined>("@rai/core/engine/tfjs/NativeLibrary/Package", {
  defaultValue: () => undefined
})

/** Steps of an installation, in order. */
export type Step = "fetch" | "download" | "extract" | "compile" | "install" | "check"

/** What is shown for each step. */
export const doing: Readonly<Record<Step, string>> = {
  fetch: "fetching tfjs-node",
  download: "downloading",
  extract: "extracting",
  compile: "compiling",
  install: "putting in place",
  check: "loading it once"
}

/** Called at each step, and while downloading with the fraction done. */
export type OnStep = (step: Step, fraction?: number) => Effect.Effect<void>

/** Where downloads are kept for all projects of a user: $RAI_CACHE, else $XDG_CACHE_HOME/rai, else ~/.cache/rai. */
export const cache = Cache.folder

const Record = Schema.fromJsonString(Schema.Union([Installed, NativeUnavailable]))

/** The outcome of the last installation; none if there was none, or if its files are missing or of another version. */
export const status = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const found = yield* manifest
  if (found === undefined) return Option.none()
  const here = yield* places(found)
  const record = yield* fs.readFileString(here.record).pipe(Effect.flatMap(Schema.decodeEffect(Record)), Effect.option)
  if (Option.isNone(record) || record.value._tag === "NativeUnavailable") return record
  const { tensorflow, tfjsNode, source, revision, files } = record.value
  const compiled = tensorflow === TensorFlowWheel.pinned.version && revision === (yield* Revision.current)
  const current = tfjsNode === here.version && (source === "tfjs-node" || compiled)
  const there = yield* Effect.forEach(files, (file) => fs.exists(file).pipe(Effect.orElseSucceed(() => false)))
  return current && there.every(Boolean) ? record : Option.none()
})

/** Whether the library is there, but of an earlier set-up: another one renews it. */
export const isOutdated = Effect.flatMap(
  Effect.suspend(() => manifest),
  (found) => (found === undefined ? Effect.succeed(false) : Revision.isOutdated(found))
)

/**
 * Installs what is missing and returns the outcome. On Linux x64 it compiles against the pinned wheel; elsewhere it runs tfjs-node's own installer.
 * Every part is written to a temporary file and renamed, so the installation may be killed at any point; the next call continues.
 */
export const install = Effect.fn("NativeLibrary.install")(function* (onStep: OnStep = () => Effect.void) {
  const before = yield* status
  if (Option.isSome(before) && before.value._tag === "Installed") return before.value
  const here = yield* places((yield* manifest) ?? (yield* fetch(onStep).pipe(Effect.mapError(unavailable))))
  const { platform, arch } = process
  const way = platform === "linux" && arch === "x64" ? fromWheel : byOwnInstaller
  return yield* way(here, onStep).pipe(
    Effect.tap((installed) => writeRecord(here, installed)),
    Effect.mapError(unavailable),
    Effect.tapError((error) => Effect.ignore(writeRecord(here, error)))
  )
})

const unavailable = (error: NativeUnavailable | { readonly _tag: string; readonly message: string }) =>
  error instanceof NativeUnavailable
    ? error
    : new NativeUnavailable({
        reason: `the native TensorFlow library could not be installed (${error.message})`,
        remedy: "see to that",
        missing: []
      })

const manifest = Effect.flatMap(Package, (given) =>
  given === undefined ? TfjsNode.find : Effect.succeed(fileURLToPath(given))
)

const fetch = Effect.fnUntraced(function* (onStep: OnStep) {
  const npm = yield* need(["npm"], "npm")
  yield* onStep("fetch")
  return yield* TfjsNode.fetch(npm)
})

interface Places {
  readonly package: string
  readonly version: string
  readonly addon: string
  readonly quiet: string
  readonly libraries: string
  readonly record: string
}

const Manifest = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

/** The paths of tfjs-node and of the native half that it looks for. */
const places = Effect.fnUntraced(function* (manifest: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { version } = yield* fs.readFileString(manifest).pipe(Effect.flatMap(Schema.decodeEffect(Manifest)))
  const folder = path.dirname(manifest)
  return {
    package: folder,
    version,
    addon: TfjsNode.addon(manifest),
    quiet: path.join(folder, "lib", "napi-v8", "quiet.node"),
    libraries: path.join(folder, "deps", "lib"),
    record: Revision.record(manifest)
  }
}, Effect.orDie) // an installed package has its manifest

const need = Effect.fnUntraced(function* (names: ReadonlyArray<string>, what: string) {
  const found = yield* Tool.find(names)
  if (found !== undefined) return found
  return yield* new NativeUnavailable({ reason: `no ${what}`, remedy: `install ${names[0]}`, missing: names })
})

const fromWheel = Effect.fnUntraced(function* (here: Places, onStep: OnStep) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* Cache.folder
  const tensorflow = path.join(folder, TensorFlowWheel.folderName)
  const revision = yield* Revision.current
  const addon = path.join(tensorflow, `tfjs-node-${here.version}-${revision}.node`)
  const quiet = path.join(tensorflow, `quiet-${revision}.node`)
  const libraries = TensorFlowWheel.libraries.map(
    (name) => [path.join(tensorflow, name), path.join(here.libraries, name)] as const
  )

  const extracted = yield* Effect.forEach(
    [path.join(tensorflow, "include"), ...libraries.map(([from]) => from)],
    (file) => fs.exists(file)
  )
  const whole = extracted.every(Boolean)
  if (!whole || !(yield* fs.exists(addon)) || !(yield* fs.exists(quiet))) {
    const compiler = yield* need(Addon.compilers, "C++ compiler (g++)")
    if (!whole) {
      const python = yield* need(["python3"], "Python 3 (python3)")
      yield* onStep("download")
      const wheel = yield* TensorFlowWheel.download(python, folder, (received, total) =>
        onStep("download", total === undefined ? undefined : received / total)
      )
      yield* onStep("extract")
      yield* TensorFlowWheel.extract(python, wheel, tensorflow)
    }
    yield* onStep("compile")
    const headers = path.join(path.dirname(require.resolve("node-api-headers/package.json")), "include")
    yield* Addon.compile(compiler, { source: here.package, tensorflow, nodeHeaders: headers, file: addon })
    yield* Addon.compileQuiet(compiler, quiet)
  }

  yield* onStep("install")
  const files = [...libraries, [addon, here.addon] as const, [quiet, here.quiet] as const]
  for (const [from, to] of files) yield* Wheel.place(from, to)
  yield* onStep("check")
  // A compiled addon that does not load would not help the next attempt either.
  yield* Effect.tapError(load(here.addon), () => fs.remove(addon))
  const versions = { tensorflow: TensorFlowWheel.pinned.version, tfjsNode: here.version }
  return new Installed({ ...versions, source: "wheel", revision, files: files.map(([, to]) => to) })
})

/** Runs tfjs-node's own installer, which downloads a library and an addon for this platform, or compiles one. */
const byOwnInstaller = Effect.fnUntraced(function* (here: Places, onStep: OnStep) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* onStep("download")
  // The installer rewrites its own package.json, which may be a hard link into pnpm's store: replace it by a copy first.
  const manifest = path.join(here.package, "package.json")
  yield* fs.copyFile(manifest, `${manifest}.part`)
  yield* fs.rename(`${manifest}.part`, manifest)
  yield* Tool.run(process.execPath, [path.join("scripts", "install.js")], {
    cwd: here.package,
    // node-pre-gyp, where pnpm and npm put it, and node
    path: [
      path.join(here.package, "node_modules", ".bin"),
      path.join(here.package, "..", "..", ".bin"),
      path.dirname(process.execPath)
    ]
  })
  yield* onStep("check")
  yield* load(here.addon)
  const versions = { tensorflow: "tfjs-node's", tfjsNode: here.version }
  return new Installed({ ...versions, source: "tfjs-node", files: [here.addon] })
})

/** Loads the addon in a separate process, because a wrong library may crash it. */
const load = (addon: string) => Tool.run(process.execPath, ["-e", "require(process.argv[1])", addon])

const writeRecord = Effect.fnUntraced(function* (here: Places, outcome: Installed | NativeUnavailable) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Schema.encodeEffect(Record)(outcome)
  yield* fs.makeDirectory((yield* Path.Path).dirname(here.record), { recursive: true })
  yield* fs.writeFileString(`${here.record}.part`, `${text}\n`)
  yield* fs.rename(`${here.record}.part`, here.record)
})
