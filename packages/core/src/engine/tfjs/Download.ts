/**
 * Downloads a file once: an interrupted transfer resumes where it stopped, and the file gets its name only when its checksum is the pinned one.
 */
import { createHash } from "node:crypto"
import { Data, Duration, Effect, FileSystem, Path, type PlatformError, Schedule, Stream } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"

/** What to download, where to put it, and the SHA-256 (64 hexadecimal digits) that it must have. */
export interface Source {
  readonly url: string
  readonly file: string
  readonly sha256: string
}

/** Called with the bytes on disk so far and the total (`undefined` where the server does not say). */
export type OnProgress = (received: number, total: number | undefined) => Effect.Effect<void>

/** A transfer did not finish; what has arrived is kept, and the next attempt resumes from there. */
export class DownloadFailed extends Data.TaggedError("DownloadFailed")<{
  readonly url: string
  readonly reason: string
  /** Whether an immediate retry may help. */
  readonly transient: boolean
}> {
  override get message(): string {
    return `could not download ${this.url}: ${this.reason}; run it again, it goes on where it stopped`
  }
}

/** A file did not have the pinned checksum; it has been removed. */
export class ChecksumWrong extends Data.TaggedError("ChecksumWrong")<{
  readonly file: string
  readonly expected: string
  readonly came: string
}> {
  override get message(): string {
    return `expected ${this.file} to have the SHA-256 ${this.expected}, but ${this.came} came; it has been removed, run it again`
  }
}

/** Where the bytes of `file` are collected until it is complete. */
export const partial = (file: string): string => `${file}.part`

/** Succeeds if `file` has the given SHA-256; otherwise removes the file and fails. */
export const verify = Effect.fn("Download.verify")(function* (file: string, sha256: string) {
  const fs = yield* FileSystem.FileSystem
  const hash = createHash("sha256")
  yield* fs
    .stream(file, { chunkSize: 1 << 20 })
    .pipe(Stream.runForEach((bytes) => Effect.sync(() => void hash.update(bytes))))
  const came = hash.digest("hex")
  if (came === sha256) return
  yield* fs.remove(file)
  return yield* new ChecksumWrong({ file, expected: sha256, came })
})

/**
 * Downloads `source.url` to `source.file`: resumes with an HTTP Range request, retries when the connection breaks, verifies, renames. A `file:`
 * address is copied. Nothing is downloaded if the file exists and verifies.
 */
export const fetch = Effect.fn("Download.fetch")(function* (
  source: Source,
  onProgress: OnProgress = () => Effect.void
) {
  const fs = yield* FileSystem.FileSystem
  const part = partial(source.file)
  const left = (yield* fs.exists(source.file)) || (yield* fs.exists(part))
  const attempt = Effect.gen(function* () {
    if (yield* fs.exists(source.file)) return yield* verify(source.file, source.sha256)
    yield* fs.makeDirectory((yield* Path.Path).dirname(source.file), { recursive: true })
    yield* transfer(source.url, part, onProgress).pipe(
      Effect.retry({ times: 4, schedule: Schedule.exponential("500 millis"), while: isTransient })
    )
    yield* verify(part, source.sha256)
    yield* fs.rename(part, source.file)
  })
  // What an earlier run left may be corrupt, and the check has then removed it: try once more from the first byte.
  return yield* left ? Effect.retry(attempt, { times: 1, while: ({ _tag }) => _tag === "ChecksumWrong" }) : attempt
})

const isTransient = (error: DownloadFailed | PlatformError.PlatformError): boolean =>
  error._tag === "DownloadFailed" && error.transient

const transfer = Effect.fnUntraced(function* (url: string, part: string, onProgress: OnProgress) {
  const fs = yield* FileSystem.FileSystem
  if (url.startsWith("file:")) {
    const from = yield* (yield* Path.Path).fromFileUrl(new URL(url)).pipe(Effect.orDie)
    return yield* fs.copyFile(from, part)
  }
  const failed = (reason: string, transient: boolean) => new DownloadFailed({ url, reason, transient })
  const sizeOfPart = fs.stat(part).pipe(
    Effect.map((info) => Number(info.size)),
    Effect.catch(() => Effect.succeed(0))
  )

  const begun = yield* sizeOfPart
  // If compressed in transit, byte offsets of the transfer would not be those of the file.
  const headers = { "accept-encoding": "identity", ...(begun > 0 ? { range: `bytes=${begun}-` } : {}) }
  const response = yield* HttpClient.execute(HttpClientRequest.get(url, { headers })).pipe(
    Effect.timeout("60 seconds"),
    Effect.mapError(() => failed("no answer came", true))
  )
  if (response.status === 416) return // there are no bytes left to request: the checksum decides
  if (response.status !== 200 && response.status !== 206) {
    return yield* failed(`expected the status 200 or 206, but ${response.status} came`, response.status >= 500)
  }
  const from = response.status === 206 ? begun : 0
  const length = response.headers["content-length"]
  const total = length === undefined ? undefined : from + Number(length)
  let received = from
  yield* response.stream.pipe(
    Stream.timeoutOrElse({ duration: stalled, orElse: () => Stream.fail(failed("no byte came for a minute", true)) }),
    Stream.tap((bytes) => {
      received += bytes.length
      return onProgress(received, total)
    }),
    Stream.mapError((error) => (error._tag === "HttpClientError" ? failed("the connection broke", true) : error)),
    Stream.run(fs.sink(part, { flag: from > 0 ? "a" : "w" }))
  )
  if (total !== undefined && (yield* sizeOfPart) < total) return yield* failed("the connection broke", true)
})

const stalled = Duration.minutes(1)
