/**
 * Native libraries out of one pinned Python wheel: pip is asked where it lies, so any index or mirror serves.
 */
import { Effect, FileSystem, Path, Schema } from "effect"
import * as Download from "./Download.ts"
import * as Tool from "./Tool.ts"

/** A wheel by name, version, tags and checksum; another one is never used. */
export interface Wheel {
  readonly name: string
  readonly version: string
  readonly sha256: string
  readonly python: string
  readonly abi: string
  readonly platform: string
}

/** The folder of the cache that holds what was extracted. */
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

/** Where pip, configured as this machine has it, finds the wheel: an https or file address. */
export const locate = Effect.fn("Wheel.locate")(function* (wheel: Wheel, python: string) {
  const target = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
  const args = ["-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed", ...selection(wheel)]
  const report = yield* Tool.run(python, [...args, "--report", "-", "--target", target, requirement(wheel)])
  return (yield* Schema.decodeEffect(Report)(report)).install[0].download_info.url
}, Effect.scoped)

/** Downloads the wheel into `folder` and verifies it; where that cannot be, lets pip download it (through a proxy, with credentials). */
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
 * Extracts what begins with one of `wanted` into `folder`, the first part of its path taken off; the folder appears only when all of it is
 * there, and the wheel is removed.
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

/** Puts a file where a package looks for it, written beside and renamed: a hard link where the file system can, so that a clone outlives the cache; else a copy. */
export const place = Effect.fn("Wheel.place")(function* (from: string, to: string) {
  const fs = yield* FileSystem.FileSystem
  const part = `${to}.part`
  yield* fs.makeDirectory((yield* Path.Path).dirname(to), { recursive: true })
  yield* fs.remove(part, { force: true })
  yield* fs.link(from, part).pipe(Effect.catch(() => fs.copyFile(from, part)))
  yield* fs.rename(part, to)
})
