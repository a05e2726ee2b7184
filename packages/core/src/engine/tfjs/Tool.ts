/**
 * External programs that setup runs: Python, a C++ compiler.
 */
import { Config, Data, Effect, FileSystem, Path, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

/** A program is missing, did not start, or exited with a code other than 0. */
export class ToolFailed extends Data.TaggedError("ToolFailed")<{
  readonly command: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.command.split(/[\\/]/).at(-1)} failed: ${this.reason}`
  }
}

const folders = Effect.gen(function* () {
  const path = yield* Path.Path
  const delimiter = path.sep === "/" ? ":" : ";"
  const value = yield* Config.String("PATH").pipe(Config.withDefault(""))
  return { delimiter, value, all: value.split(delimiter) }
})

/** Path of the first of `names` that exists in a folder of PATH. */
export const find = Effect.fn("Tool.find")(function* (names: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { all } = yield* folders
  for (const name of names) {
    for (const folder of all) {
      const file = path.join(folder, name)
      if (yield* fs.access(file).pipe(Effect.isSuccess)) return file
    }
  }
  return undefined
})

/** The folder that a program runs in, and folders that are searched before those in PATH. */
export interface Surroundings {
  readonly cwd?: string
  readonly path?: ReadonlyArray<string>
}

/** Runs a program to its end and returns its stdout; stderr gives the reason of a failure. */
export const run = Effect.fn("Tool.run")(
  function* (command: string, args: ReadonlyArray<string>, { cwd, path = [] }: Surroundings = {}) {
    const { delimiter, value } = yield* folders
    const env = { PATH: [...path, value].join(delimiter) }
    const { spawn } = yield* ChildProcessSpawner.ChildProcessSpawner
    const handle = yield* spawn(ChildProcess.make(command, args, { cwd, env, extendEnv: true, stdin: "ignore" }))
    const text = (bytes: typeof handle.stdout) => bytes.pipe(Stream.decodeText(), Stream.mkString)
    const { stdout, stderr, exitCode } = yield* Effect.all(
      { stdout: text(handle.stdout), stderr: text(handle.stderr), exitCode: handle.exitCode },
      { concurrency: "unbounded" }
    )
    if (exitCode !== 0) return yield* new ToolFailed({ command, reason: lastWords(stderr) || `exit code ${exitCode}` })
    return stdout
  },
  Effect.scoped,
  (effect, command) =>
    Effect.catchTag(effect, "PlatformError", (error) => Effect.fail(new ToolFailed({ command, reason: error.message })))
)

/** The line that says what went wrong: the first that names an error, else the last. */
const lastWords = (stderr: string): string => {
  const lines = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
  return (lines.find((line) => /error:/i.test(line)) ?? lines.at(-1) ?? "").slice(0, 300)
}
