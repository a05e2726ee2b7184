import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Lines } from "../src/index.ts"
import * as Document from "./Document.ts"

const series = (svg: string) => Document.elements(svg, "path").filter((path) => path.class === "series")

describe("Lines", () => {
  it.effect("draws equal ratios as a straight line, and names every series", () =>
    Effect.gen(function* () {
      const points = [1, 2, 3, 4, 5].map((stage) => [stage, 10 ** -stage] as const)
      const names = Array.from({ length: 9 }, (_, i) => `contestant ${i}`)
      const svg = yield* Lines.svg({ x: "stage", y: "norm", series: names.map((name) => ({ name, points })) })
      const [a, , b, , c] = Document.points(series(svg)[0]!.d!)
      assert.closeTo(b![0], (a![0] + c![0]) / 2, 0.02)
      assert.closeTo(b![1], (a![1] + c![1]) / 2, 0.02)
      assert.includeMembers([...Document.texts(svg)], ["stage", "norm", ...names])
      const strokes = series(svg).map(({ stroke, "stroke-dasharray": dash }) => `${stroke} ${dash}`)
      assert.strictEqual(new Set(strokes).size, 9)
    })
  )

  it.effect("breaks at what a logarithmic axis cannot hold, and shows it on a linear one", () =>
    Effect.gen(function* () {
      const points = [1, 0, Number.NaN, 2].map((y, x) => [x, y] as const)
      const settings = { x: "stage", y: "norm", series: [{ name: "a", points }] }
      const breaks = (svg: string) => series(svg)[0]?.d?.match(/M/g)?.length
      assert.strictEqual(breaks(yield* Lines.svg(settings)), 2)
      const linear = yield* Lines.svg({ ...settings, logarithmic: false })
      assert.strictEqual(breaks(linear), 2)
      assert.strictEqual(Document.points(series(linear)[0]!.d!).length, 4)
      assert.notMatch(yield* Lines.svg({ ...settings, series: [{ name: "none", points: [[1, 0]] }] }), /NaN|Infinity/)
    })
  )

  it.effect("ends where values fall below what the scale shows, and does not run on along the frame", () =>
    Effect.gen(function* () {
      const points = [1, 1e-6, 1e-12, 1e-18, 1e-24, 1e-30].map((y, x) => [x, y] as const)
      const drawn = yield* Lines.svg({ x: "stage", y: "norm", series: [{ name: "a", points }] })
      assert.strictEqual(Document.points(series(drawn)[0]!.d!).length, 3)
    })
  )

  it.effect("draws a power law straight over a logarithmic x, with a dot at each point", () =>
    Effect.gen(function* () {
      const points = [10, 30, 100, 300, 1000].map((depth) => [depth, 1e-4 * depth ** 1.5] as const)
      const settings = { x: "depth", y: "seconds", series: [{ name: "a", points: [[0, 1] as const, ...points] }] }
      const svg = yield* Lines.svg({ ...settings, logarithmicX: true, dots: true })
      const drawn = Document.points(series(svg)[0]!.d!)
      const [first, , middle, , last] = drawn
      assert.strictEqual(drawn.length, 5) // 0 has no place there
      assert.closeTo(middle![0], (first![0] + last![0]) / 2, 0.02)
      assert.closeTo(middle![1], (first![1] + last![1]) / 2, 0.02)
      const dots = Document.elements(svg, "circle").map(({ cx, cy }) => [Number(cx), Number(cy)])
      assert.deepStrictEqual(
        dots,
        drawn.map((point) => [...point])
      )
      assert.includeMembers([...Document.texts(svg)], ["10", "100", "1000"])
      assert.deepStrictEqual(Document.elements(yield* Lines.svg(settings), "circle"), [])
    })
  )

  it.effect("refuses no points in one line", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Lines.svg({ x: "stage", y: "norm", series: [{ name: "a", points: [] }] }))
      assert.strictEqual(
        error.message,
        "Lines: expected a point with a finite x in one series or more, but none came; give the points of each series as [x, y]"
      )
    })
  )
})
