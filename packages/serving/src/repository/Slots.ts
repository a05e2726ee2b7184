/**
 * What stands under each model's name and version: what is served there, or why nothing is.
 */
import { Effect, type Scope } from "effect"
import type { IndexEntry, ModelName, ModelState } from "../DataPlane.ts"
import { ModelUnavailable, ModelUnknown } from "../RequestError.ts"
import type { ModelLoadFailed } from "../worker/ModelWorker.ts"
import type { ServedModel } from "../worker/ServedModel.ts"
import * as VersionPolicy from "./VersionPolicy.ts"

/** A version as it stands: while a new file of it is opened, or after that failed, `served` is the one from before. */
export interface Slot {
  readonly state: ModelState
  readonly reason: string
  readonly stamp: string
  /** Of a file that did not open. */
  readonly failed?: { readonly stamp: string; readonly failure: ModelLoadFailed } | undefined
  readonly served?: ServedModel | undefined
  readonly scope?: Scope.Closeable | undefined
}

const notLoaded = "it is not loaded"

/** None at first. */
export const make = () => {
  const models = new Map<string, Map<string, Slot>>()
  const latest = new Map<string, ServedModel>()

  const set = (name: string, version: string, slot: Slot) => {
    const versions = models.get(name) ?? new Map<string, Slot>()
    models.set(name, versions)
    versions.set(version, slot)
    const ready = [...versions.values()].flatMap(({ served }) => served ?? [])
    const [newest] = ready.sort((a, b) => Number(b.version) - Number(a.version))
    if (newest === undefined) latest.delete(name)
    else latest.set(name, newest)
  }

  /** Every version that is served, of one model or of all. */
  const served = (model?: string): ReadonlyArray<ServedModel> =>
    [...models].flatMap(([name, versions]) =>
      model === undefined || model === name ? [...versions.values()].flatMap(({ served }) => served ?? []) : []
    )

  /** Nothing is known under a name; where the model is, the versions that it has say what to ask for. */
  const unknown = ({ model, version }: ModelName) => {
    const ready = served(model).map(({ version }) => version)
    const versions = ready.length > 0 ? ready : [...(models.get(model)?.keys() ?? [])]
    return new ModelUnknown({ model, version: version || undefined, known: [...models.keys()], versions })
  }

  return {
    set,
    served,
    unknown,
    /** The slots of a model by version; of one that is gone, none. */
    of: (model: string): ReadonlyMap<string, Slot> => models.get(model) ?? new Map(),
    names: (): ReadonlyArray<string> => [...models.keys()],
    /** Forgets a version where nothing is served, or the whole model. */
    forget: (model: string, version?: string) => {
      if (version === undefined) models.delete(model)
      else models.get(model)?.delete(version)
    },
    /** A version that serves goes on, and the index says why it is not what lies there. */
    refuse: (name: string, version: string, { served, ...slot }: Slot, what: string, reason: string) =>
      set(
        name,
        version,
        served === undefined
          ? { ...slot, state: "UNAVAILABLE", reason }
          : { ...slot, served, reason: `${what} is not served: ${reason}` }
      ),
    find: ({ model, version }: ModelName): ServedModel | undefined =>
      version === undefined || version === "" ? latest.get(model) : models.get(model)?.get(version)?.served,
    /** Why nothing is served under a name. */
    why: (name: ModelName): ModelUnknown | ModelUnavailable => {
      const versions = models.get(name.model)
      const [newest = ""] = VersionPolicy.choose(undefined, [...(versions?.keys() ?? [])])
      const slot = versions?.get(name.version || newest)
      if (slot === undefined) return unknown(name)
      const ready = served(name.model).map(({ version }) => version)
      return new ModelUnavailable({ model: name.model, reason: slot.reason || notLoaded, ready })
    },
    /** Whether any model has a worker. */
    answers: Effect.suspend(() =>
      Effect.map(
        Effect.forEach([...latest.values()], ({ description }) => Effect.isSuccess(description)),
        (open) => open.includes(true)
      )
    ),
    index: Effect.suspend(() =>
      Effect.forEach(
        [...models].flatMap(([name, versions]) => [...versions].map(([version, slot]) => ({ name, version, slot }))),
        ({ name, version, slot: { state, reason, served } }): Effect.Effect<IndexEntry> => {
          const entry = { name, version, state, reason }
          if (served === undefined) return Effect.succeed(entry)
          return served.description.pipe(
            Effect.map(({ provider }): IndexEntry => ({ ...entry, provider })),
            Effect.catch(({ message }) =>
              Effect.succeed<IndexEntry>({ ...entry, state: "UNAVAILABLE", reason: message })
            )
          )
        }
      )
    )
  }
}
