/**
 * The list of models: each one's name, state and requests per second, as a number and a curve.
 */
import * as Curve from "./Curve.ts"
import { byId, make, say } from "./Element.ts"
import * as Models from "./Models.ts"
import * as Print from "./Print.ts"

interface Row {
  readonly item: HTMLLIElement
  readonly show: (model: Models.Model, chosen: boolean) => void
}

// A shorter list can be taken in at a glance.
const worthFilter = 9

/** A model's address on this page. */
export const hrefOf = (name: string): string => `#/${encodeURIComponent(name)}`

/** The text under a model's name: the versions that are ready and their providers, or why none is. */
const summary = (model: Models.Model): string => {
  const ready = Models.ready(model)
  if (ready.length === 0) return model.versions[0]!.reason || Models.state(model).toLowerCase()
  const numbers = ready.map(({ version }) => version).join(", ")
  const providers = [...new Set(ready.flatMap(({ provider }) => provider ?? []))].join(", ")
  return `version ${numbers} · ${providers}`
}

const rowOf = (name: string): Row => {
  const [state, about, rate] = [make("span", { class: "unseen" }), make("small"), make("span", { class: "rate" })]
  const curve = make("span", { class: "curve", "aria-hidden": true })
  const link = make(
    "a",
    { href: hrefOf(name) },
    make("span", { class: "what" }, make("b", {}, name), state, about),
    curve,
    rate
  )
  const item = make("li", {}, link)
  let drawn: Curve.Curve | undefined
  const show = (model: Models.Model, chosen: boolean) => {
    const now = Models.state(model)
    link.dataset.state = now
    if (chosen) link.setAttribute("aria-current", "page")
    else link.removeAttribute("aria-current")
    say(state, now === "READY" ? ", ready, " : `, ${now.toLowerCase()}, `)
    say(about, summary(model))
    about.title = about.textContent
    const { history } = model
    say(rate, history.length === 0 ? "" : `${Print.number(history.at(-1)!.answered)}/s`)
    drawn ??= Curve.make(curve, { height: 28, colours: ["--accent"], axes: false })
    drawn.show(
      history.map(({ at }) => at),
      [history.map(({ answered }) => answered)]
    )
  }
  return { item, show }
}

const rows = new Map<string, Row>()

/** Shows the models and which of them is chosen. */
export const show = (models: Models.Models, chosen: string | undefined): void => {
  const list = byId("models").querySelector("ul")!
  const filter = byId("filter")
  const wanted = filter.querySelector("input")!.value.trim().toLowerCase()
  filter.hidden = models.byName.size < worthFilter
  let found = 0
  for (const [name, row] of rows) {
    if (models.byName.has(name)) continue
    row.item.remove()
    rows.delete(name)
  }
  for (const [name, model] of models.byName) {
    const row = rows.get(name) ?? rowOf(name)
    rows.set(name, row)
    if (list.children[found] !== row.item) list.insertBefore(row.item, list.children[found] ?? null)
    found++
    row.item.hidden = !filter.hidden && !name.toLowerCase().includes(wanted)
    row.show(model, name === chosen)
  }
  const none = byId("none")
  const seen = [...rows.values()].some(({ item }) => !item.hidden)
  none.hidden = seen
  say(none, found > 0 ? "No model has that in its name." : "The repository holds no model.")
}

/** Calls back when the reader types in the filter. */
export const onFilter = (act: () => void): void => byId("filter").addEventListener("input", act)
