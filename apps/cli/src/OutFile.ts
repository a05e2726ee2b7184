/**
 * Files that commands write.
 */
import { Effect, FileSystem } from "effect"
import { CommandFailed } from "./CommandFailed.ts"
import { UsageWrong } from "./UsageWrong.ts"

/** Fails with `CommandFailed` unless the file that a flag names has this ending, so that no file of another kind is overwritten. */
export const endingIn = (ending: string, flag: string, file: string): Effect.Effect<void, CommandFailed> => {
  if (file.endsWith(ending)) return Effect.void
  const advice = `write --${flag} ${file}${ending}`
  return Effect.fail(new CommandFailed({ expected: `--${flag} to end in ${ending}`, came: `${file} came`, advice }))
}

/** Fails with `CommandFailed` where a table would overwrite a file that is no table by its name. */
export const table = Effect.fn("OutFile.table")(function* (flag: string, file: string) {
  const fs = yield* FileSystem.FileSystem
  if (/\.csv$/i.test(file) || !(yield* fs.exists(file))) return
  return yield* new CommandFailed({
    expected: `--${flag} to name a new file, or one that ends in .csv`,
    came: `${file} came, which is there`,
    advice: "name another"
  })
})

/** Fails with `UsageWrong` where `--out` would overwrite a file that the command reads. */
export const apart = Effect.fn("OutFile.apart")(function* (out: string, read: Readonly<Record<string, string>>) {
  const fs = yield* FileSystem.FileSystem
  const place = (file: string) => Effect.orElseSucceed(fs.realPath(file), () => undefined)
  const there = yield* place(out)
  for (const [what, file] of Object.entries(read)) {
    if (there === undefined || there !== (yield* place(file))) continue
    const expected = "--out to name a file of its own"
    return yield* new UsageWrong({ expected, came: `${out} is the ${what}`, advice: "name another" })
  }
})
