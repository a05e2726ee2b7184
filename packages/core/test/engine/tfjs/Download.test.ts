import { createHash } from "node:crypto"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer, Path } from "effect"
import { FetchHttpClient } from "effect/http"
import * as Download from "../../../src/engine/tfjs/Download.ts"

const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) % 251)
const sha256 = createHash("sha256").update(bytes).digest("hex")

/** A server of `bytes` that records requested ranges and breaks the connection `cuts` times, half-way through the remaining bytes. */
const serve = (cuts: number, options: { readonly ranges?: boolean } = {}) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Server; readonly url: string; readonly asked: Array<string | undefined> }>(
      (resume) => {
        const asked: Array<string | undefined> = []
        const server = createServer((request, response) => {
          asked.push(request.headers.range)
          if (request.url !== "/file") return void response.writeHead(404).end()
          const from = options.ranges === false ? 0 : Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0)
          if (from >= bytes.length) return void response.writeHead(416).end()
          const rest = bytes.subarray(from)
          response.writeHead(from > 0 ? 206 : 200, { "content-length": rest.length })
          if (cuts-- > 0) response.write(rest.subarray(0, rest.length / 2), () => response.destroy())
          else response.end(rest)
        })
        server.listen(0, "127.0.0.1", () => {
          const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`
          resume(Effect.succeed({ server, url, asked }))
        })
      }
    ),
    ({ server }) => Effect.sync(() => server.close())
  )

const target = Effect.gen(function* () {
  const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
  return (yield* Path.Path).join(folder, "cache", "file")
})

layer(Layer.merge(NodeServices.layer, FetchHttpClient.layer), { excludeTestServices: true })("Download", (it) => {
  describe("fetch", () => {
    it.effect("goes on by Range where the connection broke, and ends with the right bytes", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = yield* target
        const { url, asked } = yield* serve(1)
        const progress: Array<number> = []
        yield* Download.fetch({ url, file, sha256 }, (received) => Effect.sync(() => void progress.push(received)))
        assert.deepEqual(yield* fs.readFile(file), bytes)
        assert.strictEqual(asked[0], undefined)
        assert.match(asked[1] ?? "", /^bytes=[1-9]\d*-$/)
        assert.strictEqual(progress.at(-1), bytes.length)
      })
    )

    it.effect("goes on with what a killed run left, and takes the name only at the end", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = yield* target
        const { url, asked } = yield* serve(Number.POSITIVE_INFINITY)
        yield* Download.fetch({ url, file, sha256 }).pipe(Effect.timeout("200 millis"), Effect.exit)
        assert.isFalse(yield* fs.exists(file))
        const left = Number((yield* fs.stat(Download.partial(file))).size)
        assert.isAbove(left, 0)

        const again = yield* serve(0)
        yield* Download.fetch({ url: again.url, file, sha256 })
        assert.deepEqual(again.asked, [`bytes=${left}-`])
        assert.isAtLeast(asked.length, 1)
        assert.deepEqual(yield* fs.readFile(file), bytes)
        assert.isFalse(yield* fs.exists(Download.partial(file)))
      })
    )

    it.effect("begins anew where the server knows no ranges", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = yield* target
        const { url } = yield* serve(1, { ranges: false })
        yield* Download.fetch({ url, file, sha256 })
        assert.deepEqual(yield* fs.readFile(file), bytes)
      })
    )

    it.effect("takes a part that was already whole", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = yield* target
        yield* fs.makeDirectory((yield* Path.Path).dirname(file), { recursive: true })
        yield* fs.writeFile(Download.partial(file), bytes)
        const { url } = yield* serve(0)
        yield* Download.fetch({ url, file, sha256 })
        assert.deepEqual(yield* fs.readFile(file), bytes)
      })
    )

    it.effect("does not build on bytes that are not the file's", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = yield* target
        yield* fs.makeDirectory((yield* Path.Path).dirname(file), { recursive: true })
        yield* fs.writeFile(Download.partial(file), bytes.slice(7, 1000))
        const { url, asked } = yield* serve(0)
        yield* Download.fetch({ url, file, sha256 })
        assert.deepEqual(asked, ["bytes=993-", undefined])
        assert.deepEqual(yield* fs.readFile(file), bytes)
      })
    )

    it.effect("refuses and removes a file with a wrong checksum, and says so in a line", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = yield* target
        const { url } = yield* serve(0)
        const error = yield* Download.fetch({ url, file, sha256: "0".repeat(64) }).pipe(Effect.flip)
        assert.strictEqual(error._tag, "ChecksumWrong")
        assert.include(error.message, sha256)
        assert.notInclude(error.message, "\n")
        assert.isFalse((yield* fs.exists(file)) || (yield* fs.exists(Download.partial(file))))
      })
    )

    it.effect("asks nobody when the file is there, and copies a file: address", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const file = yield* target
        const { url, asked } = yield* serve(0)
        yield* Download.fetch({ url, file, sha256 })
        yield* Download.fetch({ url, file, sha256 })
        assert.strictEqual(asked.length, 1)

        const copy = `${file}-copy`
        yield* Download.fetch({ url: (yield* path.toFileUrl(file)).href, file: copy, sha256 })
        assert.deepEqual(yield* fs.readFile(copy), bytes)
      })
    )

    it.effect("does not ask again for what is not there", () =>
      Effect.gen(function* () {
        const { url, asked } = yield* serve(0)
        const error = yield* Download.fetch({ url: `${url}-of-old`, file: yield* target, sha256 }).pipe(Effect.flip)
        assert.include(error.message, "expected the status 200 or 206, but 404 came")
        assert.strictEqual(asked.length, 1)
      })
    )
  })
})
