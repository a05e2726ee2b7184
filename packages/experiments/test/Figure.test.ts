import { assert, describe, it } from "@effect/vitest"
import { Figure, type Row } from "@rai/experiments"
import { Effect } from "effect"
import * as Small from "./Small.ts"

const experiment = Figure.make({
  name: "figure-0",
  title: "Figure 0",
  question: "What does it learn?",
  drawn: { ...Small.relaxed, plan: "relax:12:rprop=0.01:output" },
  others: [Small.control],
  prototype: { circuit: "2,8,1", loss: "0.0003", steps: 10, time: "1:33 min" }
})

describe("Figure", () => {
  it.effect("draws the figure's own steps, and shortens the statistics alone", () =>
    Effect.gen(function* () {
      const settings = { seeds: [0, 1], steps: 4 }
      let told = 0
      const page = yield* experiment.page({ ...settings, follow: () => Effect.sync(() => void told++) })
      assert.strictEqual(told, experiment.runs(settings))
      const [drawn, ...rows] = page.rows as ReadonlyArray<Row.Row>
      assert.strictEqual(drawn!.steps, 12)
      assert.deepStrictEqual(
        rows.map(({ steps }) => steps),
        [4, 4]
      )
      assert.deepStrictEqual(
        rows.map(({ control, name }) => [name, control]),
        [
          ["RAI", false],
          ["backpropagation", true]
        ]
      )
      const [figure, statistics] = page.sections
      const cells = Object.fromEntries(figure!.table!.rows.map(([what, , here]) => [what, here]))
      assert.strictEqual(cells["printed loss (relaxed where something is relaxed)"], drawn!.relaxedLoss!.toFixed(4))
      assert.notStrictEqual(cells["loss of the free run"], cells["printed loss (relaxed where something is relaxed)"])
      assert.strictEqual(cells.circuit, "2,8x3,1")
      assert.deepStrictEqual(
        figure!.figures!.map(({ name, svg }) => [name, svg.startsWith("<svg")]),
        [
          ["landscape", true],
          ["loss", true]
        ]
      )
      assert.include(statistics!.text![0], "Seeds 0-1, 4 steps")
    }).pipe(Effect.provide(Small.here))
  )

  it.effect("draws the first seed's run of the statistics where they are not shortened", () =>
    Effect.gen(function* () {
      let told = 0
      const page = yield* experiment.page({ seeds: [5, 6], follow: () => Effect.sync(() => void told++) })
      assert.strictEqual(told, experiment.runs({ seeds: [5, 6] }))
      const [drawn, own] = page.rows as ReadonlyArray<Row.Row & { readonly accuracy?: number }>
      assert.strictEqual(drawn!.accuracy, own!.accuracies[0])
      assert.strictEqual(own!.steps, 12)
      assert.include(page.settings[0], "seed 5")
    }).pipe(Effect.provide(Small.here))
  )
})
