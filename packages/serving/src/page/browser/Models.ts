/**
 * What the page knows about the models: their versions, and the last two minutes of each.
 */
import * as Rates from "./Rates.ts"

/** Number of seconds remembered. */
export const span = 120

/** A version, as in the repository's index. */
export interface Version {
  readonly name: string
  readonly version: string
  readonly state: string
  readonly reason: string
  readonly provider?: string
}

/** The rates at a moment; `at` is in seconds since the page was opened. */
export interface Moment extends Rates.Rates {
  readonly at: number
}

/** A model. */
export interface Model {
  readonly name: string
  /** Newest first. */
  readonly versions: ReadonlyArray<Version>
  readonly history: ReadonlyArray<Moment>
}

/** All models by name, and their last statistics, which the next ones are compared with. */
export interface Models {
  readonly byName: ReadonlyMap<string, Model>
  readonly statistics: ReadonlyArray<Rates.Statistics>
  readonly at: number
}

/** Before anything has been fetched. */
export const none: Models = { byName: new Map(), statistics: [], at: Number.NaN }

/** The versions that are ready, newest first. */
export const ready = ({ versions }: Model): ReadonlyArray<Version> => versions.filter(({ state }) => state === "READY")

/** The best state of a model's versions: ready, else loading, else the newest version's. */
export const state = (model: Model): string =>
  ready(model).length > 0
    ? "READY"
    : (model.versions.find(({ state }) => state === "LOADING") ?? model.versions[0])!.state

/** The models after another fetch. */
export const next = (
  { byName, statistics: before, at: then }: Models,
  index: ReadonlyArray<Version>,
  statistics: ReadonlyArray<Rates.Statistics>,
  at: number
): Models => {
  const rates = Number.isNaN(then) ? new Map<string, Rates.Rates>() : Rates.between(before, statistics, at - then)
  const names = [...new Set(index.map(({ name }) => name))].sort()
  const models = names.map((name): Model => {
    const known = byName.get(name)?.history.filter((moment) => moment.at > at - span) ?? []
    const now = rates.get(name)
    const versions = index.filter((version) => version.name === name)
    return {
      name,
      versions: versions.sort((a, b) => Number(b.version) - Number(a.version)),
      history: now === undefined ? known : [...known, { ...now, at }]
    }
  })
  return { byName: new Map(models.map((model) => [model.name, model])), statistics, at }
}
