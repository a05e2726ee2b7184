/**
 * The chosen model: its versions, and the curves of its last two minutes.
 */
import * as Curve from "./Curve.ts"
import { byId, make, say } from "./Element.ts"
import type * as Models from "./Models.ts"
import * as Print from "./Print.ts"
import type * as Rates from "./Rates.ts"

type Rate = keyof Rates.Rates

const colours: Readonly<Record<Rate, string>> = {
  answered: "--accent",
  failed: "--bad",
  refused: "--bad",
  latency: "--accent",
  queued: "--warn",
  waiting: "--accent",
  batch: "--accent"
}

const live = byId("live")

const curves = [...live.querySelectorAll<HTMLElement>("[data-curve]")].map((host) => {
  const rates = host.dataset.curve!.split(" ") as ReadonlyArray<Rate>
  return { rates, curve: Curve.make(host, { height: 120, colours: rates.map((rate) => colours[rate]), axes: true }) }
})

const numbers = [...live.querySelectorAll<HTMLElement>("[data-of]")]

const words: Partial<Record<Rate, (value: number | undefined) => string>> = {
  failed: (value) => (value ? `${Print.number(value)} more failed` : ""),
  refused: (value) => (value ? `${Print.number(value)} a second refused` : ""),
  queued: (value) => (value === undefined ? "" : `${Print.number(value)} ms queued`)
}

const showLive = (history: Models.Model["history"]): void => {
  const now = history.at(-1)
  for (const element of numbers) {
    const rate = element.dataset.of as Rate
    say(element, (words[rate] ?? Print.number)(now?.[rate]))
  }
  for (const { rates, curve } of curves) {
    curve.show(
      history.map(({ at }) => at),
      rates.map((rate) => history.map((moment) => (rate === "failed" ? moment[rate] || null : (moment[rate] ?? null))))
    )
  }
}

const table = byId("versions").querySelector("tbody")!
let written = ""

const showVersions = ({ versions }: Models.Model, statistics: ReadonlyArray<Rates.Statistics>): void => {
  const cells = versions.map(({ name, version, state, reason, provider }) => {
    const done = statistics.find((each) => each.name === name && each.version === version)?.inference_stats
    const counts = [done?.success.count, done?.fail.count].map((n) => (n === undefined ? "–" : n.toLocaleString("en")))
    return { version, state, reason, provider: provider ?? "–", counts }
  })
  const text = JSON.stringify(cells)
  if (text === written) return
  written = text
  const rows = ({ version, state, reason, provider, counts }: (typeof cells)[number]) => [
    make(
      "tr",
      {},
      make("th", { scope: "row" }, version),
      make("td", {}, make("span", { class: "state", "data-state": state }, state.toLowerCase())),
      make("td", {}, provider),
      ...counts.map((count) => make("td", { class: "number" }, count))
    ),
    ...(reason === "" ? [] : [make("tr", { class: "reason" }, make("td"), make("td", { colspan: 4 }, reason))])
  ]
  table.replaceChildren(...cells.flatMap(rows))
}

/** Shows a model as it is now. */
export const show = (model: Models.Model, statistics: ReadonlyArray<Rates.Statistics>): void => {
  say(byId("name"), model.name)
  showVersions(model, statistics)
  showLive(model.history)
}

/** Shows which providers were tried before and why they were not taken, as the metadata's parameters name them: `cuda_not_taken`. */
export const showProvider = (parameters: Readonly<Record<string, string>>): void => {
  const refused = Object.entries(parameters).flatMap(([key, why]) => {
    const provider = /^(.*)_not_taken$/.exec(key)?.[1]
    return provider === undefined ? [] : [`${provider} was not taken: ${why}`]
  })
  const note = byId("provider")
  note.hidden = refused.length === 0
  say(note, refused.join("; "))
}
