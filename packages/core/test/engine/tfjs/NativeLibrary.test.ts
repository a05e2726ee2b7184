import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Layer, Option, Path } from "effect"
import { FetchHttpClient } from "effect/http"
import * as NativeLibrary from "../../../src/engine/tfjs/NativeLibrary.ts"
import * as Revision from "../../../src/engine/tfjs/Revision.ts"

layer(NodeServices.layer)("NativeLibrary", (it) => {
  it.effect.each([
    [{ RAI_CACHE: "/a", XDG_CACHE_HOME: "/b", HOME: "/c" }, "/a"],
    [{ XDG_CACHE_HOME: "/b", HOME: "/c" }, "/b/rai"],
    [{ HOME: "/c" }, "/c/.cache/rai"]
  ] as const)("keeps downloads where the environment says: %o", ([environment, folder]) =>
    Effect.gen(function* () {
      const provider = ConfigProvider.layer(ConfigProvider.fromUnknown(environment))
      assert.strictEqual(yield* NativeLibrary.cache.pipe(Effect.provide(provider)), folder)
    })
  )

  it.effect("says in one line what serves instead, why, and what to do", () =>
    Effect.sync(() => {
      const error = new NativeLibrary.NativeUnavailable({
        reason: "no C++ compiler (g++)",
        remedy: "install g++",
        missing: ["g++"]
      })
      const line =
        "no C++ compiler (g++): the WebAssembly engine serves, about 20 times slower; install g++ and run npm start or rai setup again"
      assert.strictEqual(error.message, line)
    })
  )

  /** A tfjs-node package without native files, and the environment of a machine that has none either. */
  const bare = Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* fs.makeTempDirectoryScoped()
    const manifest = path.join(folder, "package.json")
    yield* fs.writeFileString(manifest, `{ "version": "4.22.0" }`)
    const record = path.join(folder, "deps", "native-library.json")
    const environment = Layer.mergeAll(
      Layer.succeed(NativeLibrary.Package, yield* path.toFileUrl(manifest)),
      ConfigProvider.layer(ConfigProvider.fromUnknown({ RAI_CACHE: path.join(folder, "cache"), PATH: folder }))
    )
    return { fs, path, folder, record, environment }
  })

  it.effect("calls installed what is recorded, of this version, and still there", () =>
    Effect.gen(function* () {
      const { fs, path, folder, record, environment } = yield* bare
      const status = NativeLibrary.status.pipe(Effect.map(Option.getOrUndefined), Effect.provide(environment))
      const addon = path.join(folder, "addon.node")
      const revision = yield* Revision.current
      const write = (version: string, compiled = revision) =>
        fs.writeFileString(
          record,
          JSON.stringify({
            _tag: "Installed",
            tensorflow: "2.21.0",
            tfjsNode: version,
            source: "wheel",
            revision: compiled,
            files: [addon]
          })
        )
      const isOutdated = NativeLibrary.isOutdated.pipe(Effect.provide(environment))
      assert.isUndefined(yield* status)
      assert.isFalse(yield* isOutdated)
      yield* fs.makeDirectory(path.dirname(record))
      yield* write("4.22.0")
      assert.isUndefined(yield* status)
      yield* fs.writeFileString(addon, "")
      assert.strictEqual((yield* status)?._tag, "Installed")
      assert.isFalse(yield* isOutdated)
      yield* write("4.21.0")
      assert.isUndefined(yield* status)
      yield* write("4.22.0", "0")
      assert.isUndefined(yield* status)
      assert.isTrue(yield* isOutdated)
      // As set-ups wrote it before there were revisions.
      yield* fs.writeFileString(record, (yield* fs.readFileString(record)).replace(`"revision":"0",`, ""))
      assert.isUndefined(yield* status)
      assert.isTrue(yield* isOutdated)
      yield* fs.writeFileString(record, `{ "_tag": "Inst`)
      assert.isUndefined(yield* status)
      assert.isFalse(yield* isOutdated)
    })
  )

  it.effect.skipIf(process.platform !== "linux" || process.arch !== "x64")(
    "names the compiler that is missing, and remembers it",
    () =>
      Effect.gen(function* () {
        const { fs, folder, environment } = yield* bare
        const error = yield* NativeLibrary.install().pipe(Effect.flip, Effect.provide(environment))
        assert.match(error.message, /^no C\+\+ compiler \(g\+\+\): the WebAssembly engine serves/)
        assert.include(error.missing, "g++")
        const status = yield* NativeLibrary.status.pipe(Effect.provide(environment))
        assert.strictEqual(Option.getOrUndefined(status)?._tag, "NativeUnavailable")
        assert.deepEqual((yield* fs.readDirectory(folder)).sort(), ["deps", "package.json"])
      }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})
