import { assert, describe, it } from "@effect/vitest"
import * as Models from "../../src/page/browser/Models.ts"
import type * as Rates from "../../src/page/browser/Rates.ts"

const version = (name: string, version: string, state = "READY"): Models.Version => ({
  ...{ name, version, state },
  reason: state === "READY" ? "" : "its files are gone"
})

const counted = (name: string, answered: number): Rates.Statistics => {
  const success = { count: answered, ns: answered * 1e6 }
  const none = { count: 0, ns: 0 }
  return {
    ...{ name, version: "1", inference_count: answered, execution_count: answered },
    inference_stats: { success, fail: none, queue: none },
    queue: { waiting: 0, refused: 0 }
  }
}

const answered = (models: Models.Models, name: string) =>
  models.byName.get(name)?.history.map(({ answered }) => answered)

describe("next", () => {
  it("has no rates at the first look, and then one more at each", () => {
    const index = [version("b", "1"), version("a", "9"), version("a", "10")]
    const first = Models.next(Models.none, index, [counted("a", 7), counted("b", 0)], 1)
    assert.deepStrictEqual([...first.byName.keys()], ["a", "b"])
    assert.deepStrictEqual(
      first.byName.get("a")!.versions.map(({ version }) => version),
      ["10", "9"]
    )
    assert.deepStrictEqual(answered(first, "a"), [])
    const second = Models.next(first, index, [counted("a", 9), counted("b", 0)], 2)
    const third = Models.next(second, index, [counted("a", 9), counted("b", 5)], 3)
    assert.deepStrictEqual(
      [answered(third, "a"), answered(third, "b")],
      [
        [2, 0],
        [0, 5]
      ]
    )
  })

  it("forgets what is older than it shows, and models that are gone", () => {
    let models = Models.next(Models.none, [version("a", "1"), version("b", "1")], [counted("a", 0)], 0)
    for (let at = 1; at <= 200; at++) models = Models.next(models, [version("a", "1")], [counted("a", at)], at)
    const history = models.byName.get("a")!.history
    assert.deepStrictEqual([history.length, history[0]!.at, history.at(-1)!.at], [Models.span, 81, 200])
    assert.isUndefined(models.byName.get("b"))
  })
})

describe("state", () => {
  const states = (...all: ReadonlyArray<string>) =>
    Models.state({ name: "a", versions: all.map((state, i) => version("a", String(i), state)), history: [] })

  it("is that of the version that stands best", () => {
    assert.strictEqual(states("UNAVAILABLE", "READY", "LOADING"), "READY")
    assert.strictEqual(states("UNAVAILABLE", "LOADING"), "LOADING")
    assert.strictEqual(states("UNAVAILABLE"), "UNAVAILABLE")
  })
})
