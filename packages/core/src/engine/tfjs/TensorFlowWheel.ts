/**
 * TensorFlow's own shared libraries and C headers, taken out of one pinned Python wheel: one set of numerics on every Linux x64 machine.
 */
import { Effect, FileSystem, Path, Schema } from "effect"
import * as Download from "./Download.ts"
import * as Tool from "./Tool.ts"

/** The wheel by name, version, tags and checksum; another one is never used. */
export const pinned = {
  name: "tensorflow-cpu",
  version: "2.21.0",
  sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
  python: "3.11",
  abi: "cp311",
  platform: "manylinux_2_27_x86_64"
} as const

/** The two libraries that the addon is linked with. */
export const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"] as const

/** The folder of the cache that holds the libraries and headers once they are extracted. */
export const folderName = `${pinned.name}-${pinned.version}-${pinned.sha256.slice(0, 8)}`

const requirement = `${pinned.name}==${pinned.version}`
const selection = [
  ...["--no-deps", "--only-binary=:all:", "--python-version", pinned.python, "--implementation", "cp"],
  ...["--abi", pinned.abi, "--platform", pinned.platform]
]

const Report = Schema.fromJsonString(
  Schema.Struct({
    install: Schema.NonEmptyArray(Schema.Struct({ download_info: Schema.Struct({ url: Schema.String }) }))
  })
)

/** Where pip, configured as this machine has it, finds the wheel: an https or file address. */
export const locate = Effect.fn("TensorFlowWheel.locate")(function* (python: string) {
  const target = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
  const args = ["-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed", ...selection]
  const report = yield* Tool.run(python, [...args, "--report", "-", "--target", target, requirement])
  return (yield* Schema.decodeEffect(Report)(report)).install[0].download_info.url
}, Effect.scoped)

/** Downloads the wheel into `folder` and verifies it; where that cannot be, lets pip download it (through a proxy, with credentials). */
export const download = Effect.fn("TensorFlowWheel.download")(function* (
  python: string,
  folder: string,
  onProgress?: Download.OnProgress
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(folder, `${folderName}.whl`)
  const bySelf = locate(python).pipe(
    Effect.flatMap((url) => Download.fetch({ url, file, sha256: pinned.sha256 }, onProgress))
  )
  const byPip = Effect.gen(function* () {
    const into = path.join(folder, "pip")
    yield* fs.remove(into, { recursive: true, force: true })
    yield* Tool.run(python, ["-m", "pip", "download", "--quiet", ...selection, "-d", into, requirement])
    const [name] = yield* fs.readDirectory(into)
    yield* fs.rename(path.join(into, name ?? ""), Download.partial(file))
    yield* fs.remove(into)
    yield* Download.verify(Download.partial(file), pinned.sha256)
    yield* fs.rename(Download.partial(file), file)
  })
  yield* bySelf.pipe(Effect.catchTag(["DownloadFailed", "ToolFailed", "SchemaError"], () => byPip))
  return file
})

/** What is needed of the wheel, `tensorflow/` taken off: the libraries, and the headers of the C interface. */
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
const headers = ["tensorflow/c/", "tensorflow/core/platform/", "tsl/platform/", "xla/tsl/c/"]

/** Extracts the libraries and the C headers into `folder`, which appears only when all of it is there; the wheel is removed. */
export const extract = Effect.fn("TensorFlowWheel.extract")(function* (python: string, wheel: string, folder: string) {
  const fs = yield* FileSystem.FileSystem
  const part = `${folder}.part`
  yield* fs.remove(part, { recursive: true, force: true })
  const wanted = [...libraries, ...headers.map((header) => `include/${header}`)].map((name) => `tensorflow/${name}`)
  yield* Tool.run(python, ["-c", script, wheel, part, ...wanted])
  yield* fs.rename(part, folder)
  yield* fs.remove(wheel)
})
