/**
 * The server's page: what it serves, how busy it is, and a way to send it requests. Its state is what was fetched last and which model is chosen;
 * everything shown follows from these.
 */
import * as Ask from "./Ask.ts"
import { byId, make, say } from "./Element.ts"
import * as Landscape from "./Landscape.ts"
import * as ModelList from "./ModelList.ts"
import * as Models from "./Models.ts"
import * as ModelView from "./ModelView.ts"
import * as Print from "./Print.ts"
import * as Server from "./Server.ts"
import * as Token from "./Token.ts"

/** Milliseconds between two looks at the server. */
const interval = 1000

let models = Models.none
let name: string | undefined

/** The model that the page's address names; if it names none, the previous one or the first that is ready. */
const chosen = (): Models.Model | undefined => {
  const all = [...models.byName.values()]
  const addressed = all.find((model) => ModelList.hrefOf(model.name) === location.hash)?.name
  name = addressed ?? name ?? all.find((model) => Models.state(model) === "READY")?.name
  return all.find((model) => model.name === name) ?? all[0]
}

const select = byId("version").querySelector("select")!

/** The version that requests go to: the chosen one while it is ready, else the newest that is. */
const versionOf = (model: Models.Model): string | undefined => {
  const ready = Models.ready(model).map(({ version }) => version)
  const offered = [...select.options].map(({ value }) => value)
  const kept = select.dataset.model === model.name && select.dataset.picked === select.value ? select.value : undefined
  if (select.dataset.model !== model.name || offered.join() !== ready.join()) {
    select.replaceChildren(...ready.map((version) => make("option", { value: version }, version)))
    select.dataset.model = model.name
    select.value = kept !== undefined && ready.includes(kept) ? kept : (ready[0] ?? "")
  }
  byId("version").hidden = ready.length === 0
  select.disabled = ready.length <= 1
  return ready.length === 0 ? undefined : select.value
}

let opened = ""

/** Fetches a version's inputs and outputs, once for each version shown. */
const open = async (model: string, version: string | undefined): Promise<void> => {
  const key = JSON.stringify([model, version])
  if (key === opened) return
  opened = key
  const panels = byId("panels")
  if (version === undefined) {
    // There is nothing to ask.
    panels.hidden = true
    return ModelView.showProvider({})
  }
  const metadata = await Server.metadata(model, version).catch(() => undefined)
  if (key !== opened) return
  if (metadata === undefined) {
    opened = "" // the next look tries again
    return
  }
  ModelView.showProvider(metadata.parameters)
  Ask.show(model, version, metadata)
  Landscape.show(model, version, metadata)
  panels.hidden = false
}

const render = (): void => {
  const model = chosen()
  byId("app").hidden = false
  ModelList.show(models, model?.name)
  byId("model").hidden = model === undefined
  if (model === undefined) return
  document.title = `${model.name} · inference server`
  ModelView.show(model, models.statistics)
  void open(model.name, versionOf(model))
}

let about = ""

/** The very first request, so that a token is asked for only once. */
const greet = async (): Promise<void> => {
  const server = await Server.about().catch(() => undefined)
  if (server !== undefined) about = `${server.name} ${server.version} at ${location.host}`
}

const showState = (answers: boolean): void => {
  const all = [...models.byName.values()]
  const up = all.filter((model) => Models.state(model) === "READY").length
  const state = byId("state")
  say(byId("about"), about)
  state.dataset.state = !answers ? "UNAVAILABLE" : up === all.length ? "READY" : "LOADING"
  say(
    state,
    answers ? `${up} of ${Print.count(all.length, "model")} ready` : "the server does not answer; trying again"
  )
}

const look = async (): Promise<void> => {
  const seen = await Promise.all([Server.index(), Server.statistics()]).catch(() => undefined)
  if (seen !== undefined) models = Models.next(models, ...seen, performance.now() / 1000)
  showState(seen !== undefined)
  byId("forget").hidden = !Token.isKept()
  render()
}

const pause = () => new Promise<void>((resume) => setTimeout(resume, interval))

const seen = (): Promise<void> =>
  document.hidden
    ? new Promise((resume) => document.addEventListener("visibilitychange", () => resume(), { once: true }))
    : Promise.resolve()

const run = async (): Promise<never> => {
  await greet()
  for (;;) {
    await seen()
    await look()
    await pause()
  }
}

select.addEventListener("change", () => {
  select.dataset.picked = select.value
  render()
})
addEventListener("hashchange", render)
ModelList.onFilter(render)
byId("forget").addEventListener("click", Token.forget)
void run()
