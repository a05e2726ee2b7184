/**
 * The digests by which a run knows its data again.
 */
import { Checkpoint, type Dataset, Frame, Sha256 } from "@rai/core"
import { Effect, Predicate, Record } from "effect"
import { CommandFailed } from "./CommandFailed.ts"
import * as Report from "./Report.ts"
import type { Settings } from "./Settings.ts"

/** SHA-256 of each set of a run, by the set's name. */
export type Digests = NonNullable<Settings["digests"]>

/** The digests of the sets that there are: of frames as read, of data sets as preprocessed. */
export const of = (sets: Readonly<Record<string, Frame.Frame | Dataset.Dataset | undefined>>): Digests =>
  Record.map(Record.filter(sets, Predicate.isNotUndefined), ofOne)

const ofOne = (set: Frame.Frame | Dataset.Dataset): string => {
  const { cells, classNames, columns, targets } = "columns" in set ? set : Frame.ofDataset(set)
  // A cell or target of a category or class holds its index: only the texts say which one it is.
  return Sha256.hex(Checkpoint.digest({ inputs: cells, targets }), JSON.stringify([columns, classNames]))
}

/** Says which of a run's data have changed since it began. */
export const sayIfChanged = Effect.fnUntraced(function* (settings: Settings, now: Digests) {
  const sets = changed(settings, now)
  if (sets.length === 0) return
  yield* Report.progress(
    `warning: the run's ${sets.join(" and ")} data have changed since it began: what follows is of them as they are now`
  )
})

/** Fails with `CommandFailed` where data have changed since the run began. */
export const unchanged = Effect.fnUntraced(function* (settings: Settings, now: Digests) {
  const sets = changed(settings, now)
  if (sets.length === 0) return
  return yield* new CommandFailed({
    expected: `the ${sets.join(" and ")} data with which the run began`,
    came: "they have changed since",
    advice: "bring them back, or begin a run in another folder"
  })
})

/** The sets that have changed; none for a run that has not begun, or of earlier versions. */
const changed = ({ digests = {} }: Settings, now: Digests) =>
  Object.keys(digests).filter((set) => digests[set] !== now[set])
