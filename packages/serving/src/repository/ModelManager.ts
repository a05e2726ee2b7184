/**
 * The versions served now, and how one replaces another: the new one is opened beside the old, warmed up and checked against its parity record; then
 * requests go to it, and the old one answers what it has and ends. A version that cannot be opened changes nothing.
 */
import { type Duration, Effect, Exit, Result, Schedule, Scope, Semaphore } from "effect"
import type { IndexEntry, LoadOptions } from "../DataPlane.ts"
import { LoadRefused } from "../RequestError.ts"
import type { ExecutionProvider } from "../worker/Message.ts"
import type { ModelLoadFailed } from "../worker/ModelWorker.ts"
import * as ServedModel from "../worker/ServedModel.ts"
import * as Inspection from "./Inspection.ts"
import * as Labels from "./Labels.ts"
import {
  type ModelEntry,
  ModelInvalid,
  ModelRepository,
  RepositoryInvalid,
  type VersionFile
} from "./ModelRepository.ts"
import * as ModelSettings from "./ModelSettings.ts"
import * as Slots from "./Slots.ts"
import * as VersionPolicy from "./VersionPolicy.ts"

/** Where to compute, and how often to look for changes. */
export interface Options {
  /** Execution providers, tried in this order for each model. */
  readonly providers: ReadonlyArray<ExecutionProvider>
  /** How often to look for changes; where it is not given, a model is reloaded only on request. */
  readonly poll?: Duration.Input | undefined
  /** Whether models are loaded on request too: the index then lists those that are not loaded. */
  readonly onRequest?: boolean | undefined
}

/** What to tell of a model as it was listed; `about` is where it is told once. */
interface Problem {
  readonly entry: ModelEntry
  readonly about: string
  readonly message: string
}

const stampsOf = ({ versions }: ModelEntry): string =>
  versions.map(({ stamp, version }) => `${version} ${stamp}`).join("\n")

/** Opens what the repository holds; fails where a model does not open, as somebody is watching the server start. Later failures show in the index. */
export const make = Effect.fnUntraced(function* ({ onRequest = false, providers, poll }: Options) {
  const repository = yield* ModelRepository
  const parity = yield* Inspection.make
  const labelsOf = yield* Labels.make
  const scope = yield* Effect.scope
  const slots = Slots.make()
  const { set } = slots
  const unloaded = new Set<string>()
  // One change at a time: two concurrent loads of a model would overwrite each other.
  const changes = yield* Semaphore.make(1)
  // A client that does not wait for the end of a change must not leave the model half changed.
  const toItsEnd = <A, E, R>(change: Effect.Effect<A, E, R>) => changes.withPermits(1)(Effect.uninterruptible(change))

  const warned = new Map<string, string>()
  const settingsOf = (name: string) => `settings of ${name}`
  /** Logs a problem once, although each look at the repository finds it again. */
  const warnOnce = (about: string, message: string) => {
    if (warned.get(about) === message) return Effect.void
    warned.set(about, message)
    return Effect.logWarning(message)
  }

  /** Logs problems of models, but none of a model that has changed since it was listed, as while its files are copied or removed. */
  const warnOf = Effect.fnUntraced(function* (problems: ReadonlyArray<Problem>) {
    const fresh = problems.filter(({ about, message }) => warned.get(about) !== message)
    if (fresh.length === 0) return
    const now = new Map((yield* Effect.orElseSucceed(repository.list, () => [])).map((entry) => [entry.name, entry]))
    for (const { about, entry, message } of fresh) {
      const still = now.get(entry.name)
      if (still !== undefined && stampsOf(still) === stampsOf(entry)) yield* warnOnce(about, message)
    }
  })

  const close = ({ scope: old }: Slots.Slot) =>
    old === undefined ? Effect.void : Effect.forkIn(Scope.close(old, Exit.void), scope)

  const drop = Effect.fnUntraced(function* (name: string, version: string, slot: Slots.Slot, reason: string) {
    set(name, version, { state: "UNAVAILABLE", reason, stamp: "" })
    yield* close(slot)
  })

  const open = Effect.fnUntraced(function* (
    name: string,
    { version, path, stamp, folder, bytes }: VersionFile,
    settings: ModelSettings.ModelSettings,
    again: boolean
  ) {
    const before = slots.of(name).get(version)
    if (before?.served !== undefined && before.stamp === stamp) {
      if (before.reason !== "") set(name, version, { ...before, reason: "", failed: undefined })
      return
    }
    const fail = (failure: ModelLoadFailed) => {
      const failed = { ...(before ?? { state: "UNAVAILABLE", reason: "", stamp: "" }), failed: { stamp, failure } }
      slots.refuse(name, version, failed, "its new file", failure.reason)
    }
    if (!again && before?.failed?.stamp === stamp) {
      fail(before.failed.failure)
      return yield* before.failed.failure
    }
    if (before?.served === undefined) set(name, version, { state: "LOADING", reason: "", stamp: "" })
    const own = yield* Scope.fork(scope)
    const opened = yield* Effect.gen(function* () {
      const inspected = yield* Inspection.inspect(name, bytes ?? path)
      return yield* ServedModel.make({
        name,
        version,
        settings,
        labels: yield* labelsOf(name, settings, folder),
        ...inspected,
        providers: ModelSettings.providersOf(settings, providers),
        check: (worker) => (bytes === undefined ? parity(name, path, worker) : Effect.void)
      })
    }).pipe(
      Scope.provide(own),
      Effect.tapError((failure) =>
        Effect.gen(function* () {
          yield* Scope.close(own, Exit.void)
          fail(failure)
        })
      ),
      Effect.onInterrupt(() => Scope.close(own, Exit.void))
    )
    set(name, version, { state: "READY", reason: "", stamp, served: opened, scope: own })
    if (before !== undefined) yield* close(before)
    const { provider } = yield* Effect.orElseSucceed(opened.description, () => ({ provider: "no provider" }))
    yield* Effect.logInfo(`the model "${name}" is served in version ${version} (${provider})`)
    const { max_batch_size: rows = 0 } = settings
    if (rows > 0 && opened.maxBatchSize === 0) {
      yield* Effect.logWarning(
        `the model "${name}" takes each request by itself, though its settings say "max_batch_size": ${rows}: a trial did not show that rows give together what each gives alone`
      )
    }
  })

  /** Returns what the version policy chooses; fails where the model is faulty, its settings are invalid or no version is chosen. */
  const choose = Effect.fnUntraced(function* ({ name, fault, settings, versions }: ModelEntry) {
    if (fault !== undefined) return yield* fault
    const obeyed = yield* Effect.fromResult(settings)
    const there = versions.map(({ version }) => version)
    const chosen = VersionPolicy.choose(obeyed.version_policy, there)
    if (chosen.length === 0) {
      const reason = `its version policy chooses none of the versions that are there: ${there.join(", ")}`
      return yield* new ModelInvalid({ model: name, reason })
    }
    return { settings: obeyed, chosen, missing: VersionPolicy.missing(obeyed.version_policy, there) }
  })

  /** Reports in the index what is wrong with a model, on the versions that are served or else on its latest. */
  const tell = ({ name, versions }: ModelEntry, reason: string) => {
    const serving = [...slots.of(name)].filter(([, { served }]) => served !== undefined)
    for (const [version, slot] of serving) slots.refuse(name, version, slot, "what came since", reason)
    const there = versions.map(({ version }) => version)
    const [newest] = VersionPolicy.choose(undefined, there)
    if (serving.length === 0 && newest !== undefined) set(name, newest, { state: "UNAVAILABLE", reason, stamp: "" })
  }

  /** Forgets versions that are not served and whose files are gone. */
  const forgetGone = ({ name, versions }: ModelEntry) => {
    for (const [version, slot] of slots.of(name)) {
      const there = versions.some((file) => file.version === version)
      if (slot.served === undefined && !there) slots.forget(name, version)
    }
  }

  /** Opens the versions that the policy chooses; where none of them fails, the others end. */
  const apply = Effect.fnUntraced(function* (entry: ModelEntry, again: boolean) {
    const { name, versions, warning } = entry
    forgetGone(entry)
    const { settings, chosen, missing } = yield* Effect.tapError(choose(entry), ({ reason }) =>
      Effect.sync(() => tell(entry, reason))
    )
    const opened = yield* Effect.forEach(chosen, (version) =>
      Effect.result(open(name, versions.find((file) => file.version === version)!, settings, again))
    )
    const failed = opened.find(Result.isFailure)
    for (const [version, slot] of slots.of(name)) {
      if (chosen.includes(version) || slot.served === undefined) continue
      if (failed === undefined) yield* drop(name, version, slot, "another version was loaded in its place")
      else if (slot.reason !== "") set(name, version, { ...slot, reason: "" })
    }
    forgetGone(entry)
    for (const version of missing) {
      const reason = "its version policy asks for it, and it is not there"
      // If its files disappeared while another version failed, it keeps serving.
      if (!slots.of(name).has(version)) set(name, version, { state: "UNAVAILABLE", reason, stamp: "" })
    }
    if (failed !== undefined) return yield* Effect.fail(failed.failure)
    if (warning === undefined) warned.delete(settingsOf(name))
    else yield* warnOnce(settingsOf(name), `the model "${name}": ${warning}`)
  })

  /** The repository's models, without folders that hold only settings, of which it tells. */
  const list = Effect.gen(function* () {
    const all = yield* repository.list
    const isModel = ({ fault, versions }: ModelEntry) => versions.length > 0 || fault !== undefined
    const lacking = all.filter((entry) => !isModel(entry))
    yield* warnOf(
      lacking.map((entry): Problem => {
        const { name, settings } = entry
        const lack = "its folder holds settings, and no version with a model such as 1/model.onnx"
        const wrong = Result.isFailure(settings) ? `; ${settings.failure.reason}` : ""
        return { entry, about: settingsOf(name), message: `the model "${name}": ${lack}${wrong}` }
      })
    )
    return all.filter(isModel)
  })

  const first = yield* list
  // Whatever may come later need not be there yet.
  if (first.length === 0 && poll === undefined && !onRequest) {
    const reason = "no model is there; put one there or give another path"
    return yield* new RepositoryInvalid({ repository: repository.place, reason })
  }
  yield* Effect.forEach(first, (entry) => apply(entry, true), { concurrency: 4, discard: true })

  const look = Effect.gen(function* () {
    const found = yield* list
    warned.delete("")
    const problems: Array<Problem> = []
    for (const entry of found) {
      const { name } = entry
      if (unloaded.has(name)) continue
      yield* apply(entry, false).pipe(
        Effect.andThen(Effect.sync(() => warned.delete(name))),
        Effect.catch(({ message }) => Effect.sync(() => void problems.push({ entry, about: name, message })))
      )
    }
    yield* warnOf(problems)
    for (const name of slots.names()) {
      if (found.some((entry) => entry.name === name)) continue
      const isServed = slots.served(name).length > 0
      for (const [version, slot] of slots.of(name)) yield* drop(name, version, slot, "its files are gone")
      slots.forget(name)
      for (const about of [name, settingsOf(name)]) warned.delete(about)
      if (isServed) yield* Effect.logInfo(`the model "${name}" is unloaded: its files are gone`)
    }
  }).pipe(
    changes.withPermits(1),
    Effect.catch(({ message }) => warnOnce("", message))
  )
  if (poll !== undefined) yield* look.pipe(Effect.repeat(Schedule.spaced(poll)), Effect.delay(poll), Effect.forkScoped)

  const entryOf = Effect.fnUntraced(function* (model: string) {
    const refuse = (reason: string) => unread(model, reason)
    const found = yield* Effect.mapError(list, () => refuse("the repository cannot be read"))
    const entry = found.find(({ name }) => name === model)
    return entry ?? (yield* refuse("the repository has no model of this name"))
  })

  const load = Effect.fnUntraced(function* (model: string, { config, files = {} }: LoadOptions = {}) {
    const refuse = (reason: string) => unread(model, reason)
    const settings =
      config === undefined
        ? undefined
        : yield* Effect.mapError(ModelSettings.read(model, config), (reason) => refuse(`its config: ${reason}`))
    const filename = settings?.settings.default_model_filename || "model.onnx"
    if (filename !== "model.onnx") {
      return yield* refuse(
        "a config that is sent names no other file than model.onnx; name it in the repository's config"
      )
    }
    const sent = Object.entries(files)
    if (sent.length > 0 && settings === undefined) return yield* refuse("files come with a config, and none came")
    for (const [file] of sent) {
      if (!/^[1-9]\d{0,8}\/model\.onnx$/.test(file)) {
        return yield* refuse("its files are named VERSION/model.onnx, and one came with another name")
      }
    }
    const versions = sent.map(([path, bytes]): VersionFile => {
      return { version: path.split("/")[0]!, path, stamp: `sent ${performance.now()}`, bytes }
    })
    const lying = versions.length > 0 ? { name: model, versions, settings: Result.succeed({}) } : yield* entryOf(model)
    yield* Effect.mapError(
      apply(settings === undefined ? lying : withSettings(lying, settings, config!), true),
      ({ _tag, reason }) => (_tag === "ModelInvalid" ? refuse(reason) : new LoadRefused({ model, reason }))
    )
    unloaded.delete(model)
  }, toItsEnd)

  const unload = Effect.fnUntraced(function* (model: string) {
    if (!slots.names().includes(model)) return yield* slots.unknown({ model })
    unloaded.add(model)
    for (const [version, slot] of slots.of(model)) yield* drop(model, version, slot, "unloaded")
    yield* Effect.logInfo(`the model "${model}" is unloaded`)
  }, toItsEnd)

  /** All slots, and each of the repository's models that has none, with its newest version. */
  const index = Effect.gen(function* () {
    const there = onRequest ? yield* Effect.orElseSucceed(list, () => []) : []
    const known = slots.names()
    const others = there.flatMap(({ name, versions }): ReadonlyArray<IndexEntry> => {
      const [version] = VersionPolicy.choose(
        undefined,
        versions.map(({ version }) => version)
      )
      if (version === undefined || known.includes(name)) return []
      return [{ name, version, state: "UNAVAILABLE", reason: Slots.notLoaded }]
    })
    return [...(yield* slots.index), ...others]
  })

  const { answers, find, names, served, unknown, why } = slots
  return {
    answers,
    find,
    index,
    names,
    served,
    unknown,
    why,
    load,
    unload,
    /** Whether no model is meant to be served. */
    isEmpty: (): boolean => slots.names().every((name) => unloaded.has(name))
  }
})

/** Nothing was tried, because what was asked for cannot be read. Triton's clients look for the first words. */
const unread = (model: string, reason: string) =>
  new LoadRefused({ model, reason: `failed to poll from model repository: ${reason}` })

const withSettings = (
  entry: ModelEntry,
  { settings, unfollowed }: Effect.Success<ReturnType<typeof ModelSettings.read>>,
  config: string
): ModelEntry => ({
  ...entry,
  settings: Result.succeed(settings),
  warning: ModelSettings.warning(unfollowed),
  versions: entry.versions.map((file) => ({ ...file, stamp: `${file.stamp} ${config}` }))
})
