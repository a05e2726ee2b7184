/**
 * One process at a time in a run's folder: two would write over each other. What is held is a socket, which the system takes back however its process
 * ends, so that a crash locks nobody out.
 */
import { connect, createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { Sha256 } from "@rai/core"
import { Effect, FileSystem, Path, type PlatformError, type Scope } from "effect"
import { CommandFailed } from "./CommandFailed.ts"

/** Holds a folder, which need not be there yet, until the scope ends; fails with `CommandFailed` where another process holds it. */
export const folder = Effect.fn("Hold.folder")(function* (
  of: string
): Effect.fn.Return<
  void,
  CommandFailed | PlatformError.PlatformError,
  FileSystem.FileSystem | Path.Path | Scope.Scope
> {
  const address = yield* addressOf(of)
  if (yield* listen(address)) return
  const holder = yield* ask(address)
  if (holder === undefined) {
    // Outside Linux and Windows a socket is a file, which a killed process leaves behind.
    if (isFile) yield* FileSystem.FileSystem.use((fs) => fs.remove(address, { force: true }))
    // Taken still: its holder is too busy to be asked, or somebody was faster.
    if (yield* listen(address)) return
  }
  const came = `${holder ? `process ${holder}` : "another one"} is at work there`
  const advice = "wait until it ends, or name another folder"
  return yield* new CommandFailed({ expected: `one process at a time in ${of}`, came, advice })
})

const isFile = process.platform !== "linux" && process.platform !== "win32"

const addressOf = Effect.fnUntraced(function* (folder: string) {
  const path = yield* Path.Path
  const name = `rai-${Sha256.hex(yield* real(path.resolve(folder))).slice(0, 24)}`
  if (process.platform === "win32") return `\\\\.\\pipe\\${name}`
  // The leading zero makes a name of Linux's own, without a file.
  return isFile ? path.join(tmpdir(), name) : `\0${name}`
})

/** The path without links, also where its last parts are not there yet. */
const real = (of: string): Effect.Effect<string, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    if (path.dirname(of) === of) return of
    const parent = Effect.map(real(path.dirname(of)), (parent) => path.join(parent, path.basename(of)))
    return yield* Effect.catch(fs.realPath(of), () => parent)
  })

/** Listens until the scope ends; false where the address is taken. A system that has no sockets guards nothing. */
const listen = (address: string): Effect.Effect<boolean, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<Server | undefined>((resume) => {
        // Whoever stays connected does not keep this process from ending.
        const server = createServer((client) =>
          client
            .unref()
            .on("error", () => {})
            .end(String(process.pid))
        )
        server.on("error", ({ code }: NodeJS.ErrnoException) =>
          resume(Effect.succeed(code === "EADDRINUSE" ? undefined : server))
        )
        server.listen(address, () => resume(Effect.succeed(server.unref())))
      }),
      (server) => Effect.sync(() => server?.close())
    ),
    (server) => server !== undefined
  )

/** The process id of whoever listens, empty where it is too busy to say; undefined where nobody does. */
const ask = (address: string): Effect.Effect<string | undefined> =>
  Effect.callback<string | undefined>((resume) => {
    let said: string | undefined
    const client = connect(address, () => {
      said = ""
    })
    client.on("data", (bytes) => {
      said += String(bytes)
    })
    client.setTimeout(2000, () => client.destroy())
    // Whatever happens, it closes last.
    client.on("error", () => {})
    client.on("close", () => resume(Effect.succeed(said)))
  })
