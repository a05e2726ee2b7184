/**
 * The data that a run's settings name: read, split, and preprocessed as learned from the training part.
 */
import { Frame, Parts, PlanSpec, Preprocessing, Source } from "@rai/core"
import { Effect, FileSystem } from "effect"
import { CommandFailed } from "./CommandFailed.ts"
import * as Digests from "./Digests.ts"
import * as Report from "./Report.ts"
import * as Settings from "./Settings.ts"
import { UsageWrong } from "./UsageWrong.ts"

/** Files above this many bytes are read in parts where the plan trains in batches. */
const large = 128 * 2 ** 20

/** How to read the files, and how to fit the preprocessing. */
const rules = ({ categorical, label, missing, standardise, task, unseen }: Settings.Settings) => ({
  categorical: categorical === undefined ? [] : categorical.split(",").map((name) => name.trim()),
  label,
  missing,
  standardise,
  task,
  unseen
})

/**
 * Training data, test data where `--test` names a set or a share, and validation data where `--validation` names a set or a share of the
 * training data; the preprocessing of their columns is learned from the training data alone.
 */
export const of = Effect.fn("TrainingData.of")(function* (settings: Settings.Settings) {
  if (yield* isInParts(settings)) return yield* inParts(settings)
  const { digests, test, train, validation } = yield* frames(settings)
  const preprocessing = yield* Preprocessing.fit(train, rules(settings))
  const prepared = (of: Frame.Frame | undefined) =>
    of === undefined ? Effect.succeed(undefined) : Frame.toDataset(of, preprocessing)
  return {
    train: yield* Frame.toDataset(train, preprocessing),
    test: yield* prepared(test),
    validation: yield* prepared(validation),
    digests
  }
})

/** The data of a run that began earlier, with a warning where they have changed since. */
export const ofRun = Effect.fn("TrainingData.ofRun")(function* (settings: Settings.Settings) {
  const data = yield* of(settings)
  yield* Digests.sayIfChanged(settings, data.digests())
  return data
})

/** Reads a set, and says how many of its examples are left out for a missing value. */
export const read = Effect.fn("TrainingData.read")(function* (source: string, options: Source.Options) {
  const frame = yield* Source.frame(source, options)
  yield* sayDropped(source, frame.dropped, Frame.examples(frame))
  return frame
})

const sayDropped = (source: string, dropped = 0, kept: number) =>
  dropped === 0
    ? Effect.void
    : Report.notice(`left out for a missing value: ${dropped} of the ${dropped + kept} examples in ${source}`)

/** The examples of each part before preprocessing. */
export const frames = Effect.fn("TrainingData.frames")(function* (settings: Settings.Settings) {
  const all = yield* read(settings.data, { ...rules(settings), labels: settings.labels })
  const { aside: test, train: rest } = yield* keepAside(settings, all, "test")
  const { aside: validation, train } = yield* keepAside(settings, rest, "validation")
  // Before preprocessing: what is learned from one set does not count as a change of another.
  return { test, validation, train, digests: () => Digests.of({ training: train, test, validation }) }
})

const inParts = Effect.fnUntraced(function* (settings: Settings.Settings) {
  for (const part of ["test", "validation"] as const) {
    if (Settings.share(settings[part]) === undefined) continue
    return yield* new CommandFailed({
      expected: `--${part} to name a file of its own for data that are read in parts`,
      came: "a share came",
      advice: `keep ${part} data in another file`
    })
  }
  const asked = { ...rules(settings), labels: settings.labels }
  const { dropped, parts, sample } = yield* Parts.file(settings.data, asked)
  const kept = parts.sizes.reduce((sum, size) => sum + size, 0)
  yield* sayDropped(settings.data, dropped, kept)
  const names = sample.preprocessing?.columns.map(({ name }) => name) ?? sample.inputNames
  const { classNames, task } = sample
  const preprocessed = Effect.fnUntraced(function* (part: "test" | "validation") {
    if (settings[part] === undefined) return undefined
    const other = yield* another(settings, { names, task, classNames }, part)
    return yield* Frame.toDataset(other, sample.preprocessing ?? (yield* Preprocessing.fit(other)))
  })
  const [test, validation] = [yield* preprocessed("test"), yield* preprocessed("validation")]
  // As preprocessed: a change of the training data that changes what is learned from their columns counts as one of the other sets, too.
  return { train: sample, parts, test, validation, digests: () => Digests.of({ training: sample, test, validation }) }
})

/** Whether the training data are large enough to be read in parts, and the plan allows it. */
export const isInParts = Effect.fn("TrainingData.isInParts")(function* (settings: Settings.Settings) {
  return Source.isFile(settings.data) && (yield* isInBatches(settings)) && (yield* sizeOf(settings.data)) > large
})

/** Whether every phase trains in batches and keeps nothing per example. */
const isInBatches = Effect.fnUntraced(function* (settings: Settings.Settings) {
  if (settings.plan === "auto") return Settings.asked(settings).batches !== undefined
  const { phases } = yield* PlanSpec.parse(settings.plan)
  return phases.every(({ batch, kind }) => batch !== undefined && kind !== "relax")
})

const sizeOf = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  return Number((yield* fs.stat(path)).size)
})

/** Splits off the examples that a setting asks for, a share of `all` or another set with the same columns; returns them and the rest. */
const keepAside = Effect.fnUntraced(function* (
  settings: Settings.Settings,
  all: Frame.Frame,
  part: "test" | "validation"
) {
  const asked = settings[part]
  if (asked === undefined) return { train: all, aside: undefined }
  const share = Settings.share(asked)
  if (share !== undefined) {
    const { test, train } = yield* Frame.split(all, { share, ...(part === "validation" && { source: part }) })
    return { train, aside: test }
  }
  return { train: all, aside: yield* another(settings, meaning(all), part) }
})

/** What two sets of examples must have in common. */
export interface Meaning extends Pick<Frame.Frame, "task"> {
  readonly names: ReadonlyArray<string>
  readonly classNames: ReadonlyArray<string> | undefined
}

/** The columns, task and classes of a set. */
const meaning = ({ classNames, columns, task }: Frame.Frame): Meaning => ({
  names: columns.map(({ name }) => name),
  task,
  classNames
})

/** Reads the set that a setting names; its columns, task and classes must be those of the training data. */
const another = Effect.fnUntraced(function* (settings: Settings.Settings, mine: Meaning, part: "test" | "validation") {
  const source = String(settings[part])
  if (/^[\d.,]+ *%?$/.test(source)) {
    const advice = `write for instance --${part} 0.2, or name data`
    return yield* new UsageWrong({ expected: "a share such as 0.2", came: `«${source}» came`, advice })
  }
  const other = yield* read(source, { ...rules(settings), ...known(source, mine) })
  yield* same(`${part} data as the training data are`, mine, other, source)
  return other
})

/** How to read a file with known columns and classes: columns are found by name, in any order, and a class may be absent. */
export const known = (source: string, { classNames, names, task }: Meaning) =>
  Source.isFile(source) ? { classNames, inputs: names.length === 0 ? undefined : names, task } : {}

/** Fails with `CommandFailed` where a set from `source` differs from the expected one in columns, task or classes. */
export const same = Effect.fnUntraced(function* (expected: string, mine: Meaning, came: Frame.Frame, source: string) {
  const theirs = meaning(came)
  if (JSON.stringify(mine) === JSON.stringify(theirs)) return
  return yield* new CommandFailed({
    expected: `${expected} (${describe(mine)})`,
    came: `${describe(theirs)} came in ${source}`,
    advice: "name data with the same columns in the same order, and the same classes"
  })
})

/** The columns and classes of a set, for people. */
const describe = ({ classNames, names, task }: Meaning): string =>
  `inputs ${list(names)}; ${classNames === undefined ? task : `classes ${list(classNames)}`}`

const list = (names: ReadonlyArray<string>): string =>
  names.length > 10 ? `${names.slice(0, 10).join(", ")}, … (${names.length})` : names.join(", ")
