import { assert, describe, it } from "@effect/vitest"
import { Experiments, Page } from "@rai/experiments"
import { Effect } from "effect"
import * as Small from "./Small.ts"

interface Named {
  readonly name?: string
  readonly contestant?: string
  readonly control: boolean
  readonly group?: string
}

/** Number of contestants that are no controls, and of controls, in each experiment. */
const expected: Readonly<Record<string, readonly [number, number]>> = {
  gradients: [9, 6],
  "zero-lambda": [2, 2],
  cuts: [14, 4], // of twelve maps, every 20 and every 50 cut nothing
  initialisation: [24, 24],
  "plan-s": [6, 18],
  batches: [14, 6],
  generalisation: [6, 3],
  regularisation: [22, 6],
  boundaries: [4, 2]
}

describe("every experiment", () => {
  it("is known by its name, the figures among them", () => {
    const figures = [2, 3, 4, 5].map((number) => `figure-${number}`)
    assert.deepStrictEqual([...Experiments.names].sort(), [...figures, ...Object.keys(expected)].sort())
    assert.strictEqual(Experiments.named("cuts")?.name, "cuts")
    assert.isUndefined(Experiments.named("nothing"))
  })

  for (const [name, [contestants, controls]] of Object.entries(expected)) {
    it.effect(`${name} shows each contestant and its control`, () =>
      Effect.gen(function* () {
        const hidden = name === "cuts" ? "8x11" : "8x2"
        const seeds = ["batches", "generalisation"].includes(name) ? [0] : [0, 1] // digits take their time
        const experiment = Experiments.named(name)!
        let told = 0
        const follow = () => Effect.sync(() => void told++)
        const page = yield* experiment.page({ seeds, steps: 1, hidden, follow })
        const rows = page.rows as ReadonlyArray<Named>
        assert.strictEqual(rows.filter(({ control }) => !control).length, contestants)
        assert.strictEqual(rows.filter(({ control }) => control).length, controls)
        const leftOut = page.settings.filter((setting) => setting.startsWith("left out")).length
        assert.strictEqual(told, experiment.runs({ seeds }) - leftOut * seeds.length)
        const text = Page.render(page, { command: `rai experiment ${name}`, engine: "tfjs-native", cores: 2 })
        for (const row of rows) {
          const title = row.name ?? row.contestant!
          assert.include(text, row.control ? `| ${title} (control) |` : `| ${title} |`)
        }
        assert.notMatch(text, /undefined|\[object|NaN/)
        assert.isTrue(page.sections.some(({ figures = [] }) => figures.length > 0))
        assert.isAbove(page.shows.length, 0)
      }).pipe(Effect.provide(Small.here))
    )
  }
})
