/**
 * Native libraries from a pinned Python wheel: pip is asked for its location, so any index or mirror works.
 */
import { Effect, FileSystem, Path, Schema } from "effect"
import * as Download from "./Download.ts"
import * as Tool from "./Tool.ts"

/** A wheel by name, version, tags and checksum; no other is ever used. */
export interface Wheel {
  readonly name: string
  readonly version: string
  readonly sha256: string
  readonly python: string
  readonly abi: string
  readonly platform: string
}

/** Name of the cache folder that holds the extracted files. */
export const folderName = ({ name, sha256, version }: Wheel): string => `${name}-${version}-${sha256.slice(0, 8)}`

const requirement = ({ name, version }: Wheel): string => `${name}==${version}`

const selection = ({ abi, platform, python }: Wheel): ReadonlyArray<string> => [
  ...["--no-deps", "--only-binary=:all:", "--python-version", python, "--implementation", "cp"],
  ...["--abi", abi, "--platform", platform]
]

const Report = Schema.fromJsonString(
  Schema.Struct({
    install: Schema.NonEmptyArray(Schema.Struct({ download_info: Schema.Struct({ url: Schema.String }) }))
  })
)

/** Where pip, as configured on this machine, finds the wheel: an https or file address. */
export const locate = Effect.fn("Wheel.locate")(function* (wheel: Wheel, python: string) {
  const target = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
  const args = ["-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed", ...selection(wheel)]
  const report = yield* Tool.run(python, [...args, "--report", "-", "--target", target, requirement(wheel)])
  return (yield* Schema.decodeEffect(Report)(report)).install[0].download_info.url
}, Effect.scoped)

/** Downloads the wheel into `folder` and verifies it; where that fails, has pip download it (which handles proxies and credentials). */
export const download = Effect.fn("Wheel.download")(function* (
  wheel: Wheel,
  python: string,
  folder: string,
  onProgress?: Download.OnProgress
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { sha256 } = wheel
  const file = path.join(folder, `${folderName(wheel)}.whl`)
  const bySelf = locate(wheel, python).pipe(Effect.flatMap((url) => Download.fetch({ url, file, sha256 }, onProgress)))
  const byPip = Effect.gen(function* () {
    const into = path.join(folder, "pip")
    yield* fs.remove(into, { recursive: true, force: true })
    yield* Tool.run(python, ["-m", "pip", "download", "--quiet", ...selection(wheel), "-d", into, requirement(wheel)])
    const [name] = yield* fs.readDirectory(into)
    yield* fs.rename(path.join(into, name ?? ""), Download.partial(file))
    yield* fs.remove(into)
    yield* Download.verify(Download.partial(file), sha256)
    yield* fs.rename(Download.partial(file), file)
  })
  yield* bySelf.pipe(Effect.catchTag(["DownloadFailed", "ToolFailed", "SchemaError"], () => byPip))
  return file
})

const script = `
import os, shutil, sys, zipfile
wheel, into, *wanted = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith(tuple(wanted)) and not name.endswith("/"):
            target = os.path.join(into, name.split("/", 1)[1])
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with archive.open(name) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
`

/**
 * Extracts the files whose paths start with one of `wanted` into `folder`, without the first component of their paths; the folder appears only when
 * complete, and the wheel is removed.
 */
export const extract = Effect.fn("Wheel.extract")(function* (
  python: string,
  wheel: string,
  { folder, wanted }: { readonly folder: string; readonly wanted: ReadonlyArray<string> }
) {
  const fs = yield* FileSystem.FileSystem
  const part = `${folder}.part`
  yield* fs.remove(part, { recursive: true, force: true })
  yield* Tool.run(python, ["-c", script, wheel, part, ...wanted])
  yield* fs.rename(part, folder)
  yield* fs.remove(wheel)
})

/**
 * Puts a file where a package looks for it, under a temporary name first: a hard link where the file system allows, so that the file outlives the
 * cache; else a copy.
 */
export const place = Effect.fn("Wheel.place")(function* (from: string, to: string) {
  const fs = yield* FileSystem.FileSystem
  const part = `${to}.part`
  yield* fs.makeDirectory((yield* Path.Path).dirname(to), { recursive: true })
  yield* fs.remove(part, { force: true })
  yield* fs.link(from, part).pipe(Effect.catch(() => fs.copyFile(from, part)))
  yield* fs.rename(part, to)
})
