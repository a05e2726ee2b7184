/**
 * What each model name and version stands for: what is served, or why nothing is.
 */
import { Effect, type Scope } from "effect"
import type { IndexEntry, ModelName, ModelState } from "../DataPlane.ts"
import { ModelUnavailable, ModelUnknown } from "../RequestError.ts"
import type { ModelLoadFailed } from "../worker/ModelWorker.ts"
import type { ServedModel } from "../worker/ServedModel.ts"
import * as VersionPolicy from "./VersionPolicy.ts"

/** The state of a version; while a new file of it is being opened, or after that failed, `served` is the previous one. */
export interface Slot {
  readonly state: ModelState
  readonly reason: string
  readonly stamp: string
  /** The stamp and the failure of a file that did not open. */
  readonly failed?: { readonly stamp: string; readonly failure: ModelLoadFailed } | undefined
  readonly served?: ServedModel | undefined
  readonly scope?: Scope.Closeable | undefined
}

/** Why nothing is served for a model that nobody has loaded. */
export const notLoaded = "it is not loaded"

/** Makes an empty collection of slots. */
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

  /** All versions that are served, of one model or of all. */
  const served = (model?: string): ReadonlyArray<ServedModel> =>
    [...models].flatMap(([name, versions]) =>
      model === undefined || model === name ? [...versions.values()].flatMap(({ served }) => served ?? []) : []
    )

  /** The error for a name that is not known; for a known model, it lists the versions to ask for. */
  const unknown = ({ model, version }: ModelName) => {
    const ready = served(model).map(({ version }) => version)
    const versions = ready.length > 0 ? ready : [...(models.get(model)?.keys() ?? [])]
    return new ModelUnknown({ model, version: version || undefined, known: [...models.keys()], versions })
  }

  return {
    set,
    served,
    unknown,
    /** A model's slots by version; none for a model that is gone. */
    of: (model: string): ReadonlyMap<string, Slot> => models.get(model) ?? new Map(),
    names: (): ReadonlyArray<string> => [...models.keys()],
    /** Forgets a version that is not served, or the whole model. */
    forget: (model: string, version?: string) => {
      if (version === undefined) models.delete(model)
      else models.get(model)?.delete(version)
    },
    /** Marks a version as refused; one that is served keeps serving, and the index says why it is not what the repository has. */
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
    /** Returns why nothing is served under a name. */
    why: (name: ModelName): ModelUnknown | ModelUnavailable => {
      const versions = models.get(name.model)
      const [newest = ""] = VersionPolicy.choose(undefined, [...(versions?.keys() ?? [])])
      const slot = versions?.get(name.version || newest)
      if (slot === undefined) return unknown(name)
      const ready = served(name.model).map(({ version }) => version)
      const reason = slot.state === "LOADING" ? ModelUnavailable.loading : slot.reason || notLoaded
      return new ModelUnavailable({ model: name.model, reason, ready })
    },
    /** Whether any model has an open worker. */
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
