import { assert, describe, it } from "@effect/vitest"
import { Circuit, Moons, PlanSpec, Score, Training } from "@rai/core"
import { Comparison, Page, type Row } from "@rai/experiments"
import { Effect } from "effect"
import * as Small from "./Small.ts"

const experiment = Comparison.make({
  name: "small",
  title: "Small",
  question: "Does it?",
  groups: [{ title: "moons", contestants: [Small.relaxed, Small.control] }]
})

/** Does the same run with `@rai/core` alone and returns its accuracy. */
const accuracy = Effect.fnUntraced(function* (text: string, seed: number) {
  const data = yield* Moons.make({ examples: 40, noise: 0.1, seed: 1 })
  const fresh = yield* Moons.make({ examples: 100, noise: 0.1, seed: 2 })
  const circuit = Circuit.perceptron([2, 8, 8, 8, 1], { activation: "tanh" })
  const trained = yield* Training.fit(circuit, data, { plan: yield* PlanSpec.parse(text), seed })
  return (yield* Score.score(trained, fresh)).accuracy!
})

const rowsOf = (page: Page.Page) => page.rows as ReadonlyArray<Row.Row>

describe("Comparison", () => {
  it.effect("has a row for each contestant, with the numbers of its runs", () =>
    Effect.gen(function* () {
      const page = yield* experiment.page({ seeds: [3, 4] })
      assert.deepStrictEqual(
        rowsOf(page).map(({ control, name }) => [name, control]),
        [
          ["RAI", false],
          ["backpropagation", true]
        ]
      )
      for (const [i, { name, plan }] of [Small.relaxed, Small.control].entries()) {
        const expected = [yield* accuracy(plan, 3), yield* accuracy(plan, 4)]
        const row = rowsOf(page)[i]!
        const [a, b] = expected as [number, number]
        assert.deepStrictEqual(row.accuracies, expected)
        assert.closeTo(row.meanAccuracy, (a + b) / 2, 1e-12)
        assert.closeTo(row.deviation, Math.abs(a - b) / Math.SQRT2, 1e-12)
        assert.strictEqual(row.lowestAccuracy, Math.min(a, b))
        assert.strictEqual(row.steps, 12)
        const cells = page.sections[0]!.table!.rows[i]!
        assert.include(cells[0], name)
        assert.strictEqual(cells[2], `${(100 * Math.min(a, b)).toFixed(1)} %`)
      }
    }).pipe(Effect.provide(Small.here))
  )

  it.effect("refuses to compare nothing: no seed, or hidden widths that leave out every contestant", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* Effect.flip(experiment.page({ seeds: [] }))).message,
        "experiment, setting «seeds»: expected one seed or more, but none came; give for instance [0, 1, 2]"
      )
      const sparse = { ...Small.relaxed, plan: "relax:2:rprop=0.01:every=9" }
      const group = { title: "moons", contestants: [sparse] }
      const one = Comparison.make({ name: "small", title: "Small", question: "Does it?", groups: [group] })
      assert.match(
        (yield* Effect.flip(one.page({ seeds: [0], hidden: "8x2" }))).message,
        /^small, setting «hidden»: expected hidden widths that fit a plan of moons, but 8x2 fits none: left out: RAI, for expected a cut/
      )
    }).pipe(Effect.provide(Small.here))
  )

  it.effect("is the same page each time", () =>
    Effect.gen(function* () {
      const made = { command: "rai experiment small", engine: "tfjs-native", cores: 2 }
      const settings = { seeds: [0], steps: 2 }
      const [first, second] = [yield* experiment.page(settings), yield* experiment.page(settings)]
      assert.strictEqual(Page.render(first, made), Page.render(second, made))
      assert.include(Page.render(first, made), "relax:2:rprop=0.01") // what was run, not what would have been
      assert.include(first.shows.join(), "one seed, which says nothing about chance")
    }).pipe(Effect.provide(Small.here))
  )

  it.effect("counts a run that loses its numbers as one that answers nothing, and says so", () =>
    Effect.gen(function* () {
      const wild = { ...Small.moons, activation: "relu", name: "wild", plan: "backpropagate:12:sgd=1e20" } as const
      const page = yield* Comparison.make({
        name: "lost",
        title: "Lost",
        question: "Is it?",
        groups: [{ title: "moons", contestants: [wild, Small.control] }]
      }).page({ seeds: [0, 1] })
      const [row] = rowsOf(page)
      assert.strictEqual(row!.lost, 2)
      assert.strictEqual(row!.meanAccuracy, 0)
      assert.include(page.sections[0]!.text!.join(), "wild in 2 of 2 runs")
    }).pipe(Effect.provide(Small.here))
  )

  it.effect("plots accuracies from a round number below them to 1, dots and deviations within the frame", () =>
    Effect.gen(function* () {
      const drawn = Effect.fnUntraced(function* (...runs: ReadonlyArray<ReadonlyArray<number>>) {
        const rows = runs.map((accuracies) => ({ name: "a", control: false, accuracies }))
        const svg = yield* Comparison.accuracies(rows, "moons")
        const [, left, width] = svg.match(/<rect x="([\d.]+)"[^>]* width="([\d.]+)"[^>]*stroke=/)!.map(Number)
        const share = ([, x]: RegExpExecArray) => (Number(x) - left!) / width!
        return {
          dots: [...svg.matchAll(/class="run" cx="([\d.]+)"/g)].map(share),
          deviations: [...svg.matchAll(/class="deviation" x1="([\d.]+)"/g)].map(share)
        }
      })
      // From .97, where a tenth of a point is a thirtieth of the width.
      const { dots } = yield* drawn([0.999, 0.998, 1], [0.971])
      for (const [i, expected] of [29, 28, 30, 1].entries()) assert.closeTo(dots[i]!, expected / 30, 1e-4)
      // The deviation begins below the lowest run, at .9538.
      assert.closeTo((yield* drawn([0.96, 0.99])).deviations[0]!, 0.0038 / 0.05, 1e-3)
      assert.closeTo((yield* drawn([0, 0.5])).dots[1]!, 0.5, 1e-4)
      assert.closeTo((yield* drawn([1, 1])).dots[0]!, 1, 1e-4)
    })
  )

  it.effect(
    "leaves out, under other hidden widths, what does not fit them, and refuses what does not fit its own",
    () =>
      Effect.gen(function* () {
        const sparse = { ...Small.relaxed, name: "sparse", plan: "relax:2:every=50" }
        const groups = [{ title: "moons", contestants: [sparse, Small.control] }]
        const tooSparse = Comparison.make({ name: "sparse", title: "Sparse", question: "Is it?", groups })
        const page = yield* tooSparse.page({ seeds: [0], steps: 1, hidden: "4x2" })
        assert.deepStrictEqual(
          rowsOf(page).map(({ name }) => name),
          ["backpropagation"]
        )
        assert.match(page.settings.at(-1)!, /^left out: sparse, for expected a cut/)
        assert.strictEqual((yield* Effect.flip(tooSparse.page({ seeds: [0] })))._tag, "PlanUnfit")
      }).pipe(Effect.provide(Small.here))
  )
})
