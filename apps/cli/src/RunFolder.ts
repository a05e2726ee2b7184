/**
 * The folder of a run: `settings.json`, the checkpoint, `metrics.jsonl`, `summary.json`, the trained circuit and plots.
 */
import { Archive, History, type Progress, TrainedStore, type TrainingEvent } from "@rai/core"
import { Row } from "@rai/core/schema"
import { Effect, FileSystem, Path, Schema, Stream } from "effect"
import { CommandFailed } from "./CommandFailed.ts"
import * as Folder from "./Folder.ts"
import { Settings } from "./Settings.ts"
import type { Summary } from "./Summary.ts"
import * as SystemRefusal from "./SystemRefusal.ts"

const file = (folder: string, name: string) => Effect.map(Path.Path, (path) => path.join(folder, name))

const holds = (folder: string, name: string) =>
  Effect.flatMap(file(folder, name), (name) => FileSystem.FileSystem.use((fs) => fs.exists(name)))

const writeText = Effect.fnUntraced(function* (folder: string, name: string, text: string) {
  yield* Archive.replace(yield* file(folder, name), new TextEncoder().encode(text))
})

/** Fails with `CommandFailed` where the folder cannot take a new run. */
export const vacant = (folder: string) =>
  Folder.vacant(folder, "name another, or add --resume to go on with the run in it")

/** Creates the folder with the run's settings; fails with `CommandFailed` where the folder is not empty. */
export const create = Effect.fn("RunFolder.create")(function* (folder: string, settings: Settings) {
  yield* vacant(folder)
  yield* Folder.make(folder)
  const text = yield* Effect.orDie(Schema.encodeEffect(Settings)(settings))
  yield* writeText(folder, "settings.json", `${JSON.stringify(text, undefined, 2)}\n`)
})

/** The summary of a finished run, undefined where there is none yet; fails with `CommandFailed` where it is damaged. */
export const summary = Effect.fn("RunFolder.summary")(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const name = yield* file(folder, "summary.json")
  if (!(yield* fs.exists(name))) return undefined
  const expected = `the summary of a finished run in ${name}`
  const found = yield* Effect.mapError(
    Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Unknown))(yield* fs.readFileString(name)),
    () => new CommandFailed({ expected, came: "the file is damaged", advice: "train again into another folder" })
  )
  return found as Summary
})

/** Whether a run was started in this folder. */
export const isBegun = (folder: string) => holds(folder, "settings.json")

/** The subfolders of a folder that holds runs of several seeds. */
const ofSeeds = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const entries = yield* Effect.orElseSucceed(fs.readDirectory(folder), () => [])
  return entries.filter((entry) => /^seed-\d+$/.test(entry)).map((entry) => `${folder}/${entry}`)
})

/** Fails with `CommandFailed` where the folder holds runs of several seeds. */
export const single = Effect.fn("RunFolder.single")(function* (folder: string) {
  const seeds = yield* ofSeeds(folder)
  if (seeds.length === 0) return
  return yield* new CommandFailed({
    expected: "the folder of one run",
    came: `${folder} holds those of ${seeds.length} seeds`,
    advice: `name one of ${seeds.join(", ")}`
  })
})

/** The trained circuit of the run in `folder`. */
export const trained = Effect.fn("RunFolder.trained")(function* (folder: string) {
  yield* single(folder)
  return yield* TrainedStore.load(folder)
})

/** The settings with which the run in `folder` was started. */
export const settings = Effect.fn("RunFolder.settings")(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const name = yield* file(folder, "settings.json")
  const failed = (came: string, advice: string) =>
    new CommandFailed({ expected: `the settings of a run in ${name}`, came, advice })
  const text = yield* Effect.catch(fs.readFileString(name), (error) =>
    Effect.flatMap(ofSeeds(folder), (seeds) => {
      const others = seeds.length === 0 ? undefined : `name one of ${seeds.join(", ")}`
      return failed(SystemRefusal.why(error), others ?? "name the folder of a run, or leave --resume out to begin one")
    })
  )
  return yield* Effect.mapError(Schema.decodeUnknownEffect(Schema.fromJsonString(Settings))(text), () =>
    failed("the file is damaged", "train again into another folder")
  )
})

/** The measurements so far, without a line that a crash truncated. */
export const rows = Effect.fn("RunFolder.rows")(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const name = yield* file(folder, "metrics.jsonl")
  if (!(yield* fs.exists(name))) return []
  const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Row))
  // Line by line: all the text of a long run of many stages is more than a string can hold.
  const decoded = yield* fs.stream(name).pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.filter((line) => line !== ""),
    Stream.mapEffect((line) => Effect.option(decode(line))),
    Stream.runCollect
  )
  return decoded.flatMap((row) => (row._tag === "Some" ? [row.value] : []))
})

/** Drops the measurements that a resumed run repeats: those after its checkpoint's progress, or all where there is none. */
export const rewind = Effect.fn("RunFolder.rewind")(function* (folder: string, to: Progress.Progress | undefined) {
  const kept = to === undefined ? [] : History.until(yield* rows(folder), to)
  const lines = kept.map((row) => Buffer.from(`${JSON.stringify(row)}\n`))
  yield* Archive.replace(yield* file(folder, "metrics.jsonl"), Buffer.concat(lines))
})

/** Appends the measurement of an event, if it has one. */
export const append = Effect.fnUntraced(function* (folder: string, event: TrainingEvent.TrainingEvent) {
  const row = History.row(event)
  if (row === undefined) return
  const fs = yield* FileSystem.FileSystem
  yield* stays(folder)
  yield* fs.writeFileString(yield* file(folder, "metrics.jsonl"), `${JSON.stringify(row)}\n`, { flag: "a" })
})

/** Fails with `CommandFailed` where the folder of a run that goes on is not there any more: made anew, it would hold no run that goes on from it. */
export const stays = Effect.fn("RunFolder.stays")(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* fs.exists(folder)) return
  return yield* new CommandFailed({
    expected: `the run's folder ${folder} to stay where it is`,
    came: "it was removed or renamed while the run went on",
    advice: "where it was renamed, go on with --resume and its new name"
  })
})

/** Whether the run saved a checkpoint. */
export const hasCheckpoint = (folder: string) => holds(folder, "checkpoint.json")

/** Removes the checkpoint, whole or not. */
export const dropCheckpoint = Effect.fn("RunFolder.dropCheckpoint")(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const entries = (yield* fs.readDirectory(folder)).filter((entry) => entry.startsWith("checkpoint"))
  yield* Effect.forEach(entries, (entry) => Effect.flatMap(file(folder, entry), fs.remove))
})

/** Writes `summary.json`. */
export const summarise = (folder: string, summary: unknown) =>
  writeText(folder, "summary.json", `${JSON.stringify(summary, undefined, 2)}\n`)
