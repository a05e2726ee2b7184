import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Landscape, Picture, Plane } from "../src/index.ts"
import * as Document from "./Document.ts"

// The ends and the middle of viridis in matplotlib.
const first = [68, 1, 84]
const last = [253, 231, 37]
const middle = [33, 145, 140]

const near = (colour: ReadonlyArray<number>, expected: ReadonlyArray<number>, tolerance = 3) =>
  assert.isTrue(
    expected.every((value, i) => Math.abs(value - (colour[i] ?? -99)) <= tolerance),
    `${colour} is not within ${tolerance} of ${expected}`
  )

const plane = { grid: 60 }
const { data } = Plane.inputs(plane)
const over = (probability: (x: number, y: number) => number): Float32Array =>
  Float32Array.from({ length: plane.grid ** 2 }, (_, i) => probability(data[2 * i]!, data[2 * i + 1]!))
const logistic = (logit: number): number => 1 / (1 + Math.exp(-logit))

describe("Landscape", () => {
  it.effect("shows the lowest y below, zero in viridis' first colour and one in its last", () =>
    Effect.gen(function* () {
      const svg = yield* Landscape.svg({ ...plane, probability: over((_, y) => (y < 0 ? 0 : 1)) })
      const { place } = Document.embedded(svg)
      const png = Document.pixels(yield* Picture.png(svg, { scale: 2 }))
      near(png.at(2 * (place.x + 6), 2 * (place.y + place.height - 6)), first)
      near(png.at(2 * (place.x + place.width - 6), 2 * (place.y + 6)), last)
      const [{ width, height } = {}] = Document.elements(svg, "svg")
      assert.deepStrictEqual([png.width, png.height], [2 * Number(width), 2 * Number(height)])
    })
  )

  it.effect("takes the colour bar's title for what is no probability", () =>
    Effect.gen(function* () {
      const svg = yield* Landscape.svg({ ...plane, value: "share of runs", probability: over((x) => logistic(x)) })
      assert.include(Document.texts(svg), "share of runs")
      assert.notMatch(svg, /probability/)
    })
  )

  it.effect("is one image of n×n pixels, a marker for each point, axes, a colour bar and titles", () =>
    Effect.gen(function* () {
      const svg = yield* Landscape.svg({
        ...plane,
        title: "RAI",
        subtitle: "accuracy 1.000",
        probability: over((x) => logistic(x)),
        points: [
          { x: -2, y: 1, label: 0 },
          { x: 2, y: 1, label: 1 },
          { x: Number.NaN, y: 0, label: 1 }
        ]
      })
      const image = Document.embedded(svg)
      assert.deepStrictEqual([image.width, image.height], [60, 60])
      assert.strictEqual(Document.elements(svg, "image").length, 1)
      const fills = Document.elements(svg, "circle").filter(({ fill }) => fill !== "#333333" && fill !== "#ffffff")
      assert.strictEqual(fills.length, 2) // one point and the legend
      assert.closeTo(Number(fills[0]?.cx), image.place.x + image.place.width / 6, 0.01)
      assert.closeTo(Number(fills[0]?.cy), image.place.y + image.place.height / 3, 0.01)
      assert.includeMembers(
        [...Document.texts(svg)],
        [
          "RAI",
          "accuracy 1.000",
          "−3",
          "3",
          "x₁",
          "x₂",
          "class 0",
          "class 1",
          "boundary",
          "probability of class 1",
          "0.5"
        ]
      )
      near(image.at(30, 30), middle, 8)
    })
  )

  it.effect("draws the boundary where the probability is a half, and only there", () =>
    Effect.gen(function* () {
      const svg = yield* Landscape.svg({ ...plane, probability: over((x, y) => 0.5 + 0.05 * (x + 2 * y - 1)) })
      const { place } = Document.embedded(svg)
      const [boundary] = Document.elements(svg, "path").filter((path) => path.class === "boundary")
      const vertices = Document.points(boundary?.d ?? "").map(([px, py]) => ({
        x: -3 + (6 * (px - place.x)) / place.width,
        y: 3 - (6 * (py - place.y)) / place.height
      }))
      assert.isAbove(vertices.length, 60)
      for (const { x, y } of vertices) assert.closeTo(x + 2 * y, 1, 1e-3)
      assert.isBelow(Math.min(...vertices.map(({ x }) => x)), -2.9)
      assert.isAbove(Math.max(...vertices.map(({ x }) => x)), 2.9)
    })
  )

  it.effect("hatches cells that are NaN, draws no boundary around them, and says so", () =>
    Effect.gen(function* () {
      const probability = over((x, y) => (Math.hypot(x, y) < 1 ? Number.NaN : 1))
      const svg = yield* Landscape.svg({ ...plane, probability })
      const { place } = Document.embedded(svg)
      assert.isUndefined(Document.elements(svg, "path").find((path) => path.class === "boundary"))
      assert.include(Document.texts(svg), "not a number")
      const png = Document.pixels(yield* Picture.png(svg, { scale: 1 }))
      const seen = Array.from({ length: 20 }, (_, i) => png.at(place.x + 145 + i, place.y + 150))
      assert.isTrue(seen.every(([red, green, blue]) => red === green && green === blue))
      assert.isAbove(new Set(seen.map(String)).size, 1)
      near(png.at(place.x + 10, place.y + 10), last)
    })
  )

  it.effect("puts landscapes side by side on one colour scale", () =>
    Effect.gen(function* () {
      const panels = [
        { title: "backpropagation", probability: over(() => 0.5) },
        { title: "RAI", probability: over((x) => logistic(9 * x)) }
      ]
      const svg = yield* Landscape.panel({ ...plane, panels })
      const images = Document.elements(svg, "image")
      assert.strictEqual(images.length, 2)
      assert.isAtLeast(Number(images[1]?.x), Number(images[0]?.x) + Number(images[0]?.width))
      assert.includeMembers([...Document.texts(svg)], ["backpropagation", "RAI"])
      assert.strictEqual(Document.texts(svg).filter((text) => text === "probability of class 1").length, 1)
    })
  )

  it.effect("without examples explains the colours, not marks, and says where it assumes the range", () =>
    Effect.gen(function* () {
      const probability = over((x) => logistic(x))
      const points = [{ x: 0, y: 0, label: 1 }]
      const panels = [{ probability, subtitle: "seed 0" }]
      const marks = (svg: string) => Document.elements(svg, "circle").length
      const says = (svg: string) => [...Document.texts(svg)].find((text) => text.includes("assumed range"))
      const extents = Plane.paper.extents
      const bare = yield* Landscape.panel({ ...plane, panels })
      assert.strictEqual(marks(bare), 0)
      assert.strictEqual(says(bare), "seed 0; assumed range, as it is not known where the data lie")
      assert.isDefined(says(yield* Landscape.svg({ ...plane, extents, isAssumed: true, probability })))
      assert.isUndefined(says(yield* Landscape.svg({ ...plane, extents, probability })))
      const drawn = yield* Landscape.svg({ ...plane, probability, points })
      assert.isAbove(marks(drawn), 0)
      assert.isUndefined(says(drawn))
    })
  )

  it.effect("draws a fair sample of many examples, and says so", () =>
    Effect.gen(function* () {
      const probability = over((x) => logistic(x))
      // A tenth of them on the right, and all of these at the end.
      const points = Array.from({ length: 3_000_000 }, (_, i) => {
        const label = i < 2_700_000 ? 0 : 1
        return { x: label === 0 ? -2 : 2, y: -3 + (6 * (i % 1000)) / 1000, label }
      })
      const svg = yield* Landscape.svg({ ...plane, subtitle: "seed 0", probability, points })
      assert.include(Document.texts(svg), "seed 0; 5,000 of 3,000,000 examples drawn")
      const circles = (svg: string) =>
        Document.elements(svg, "circle").filter(({ fill }) => fill !== "#333333" && fill !== "#ffffff")
      const drawn = circles(svg)
      // One circle is the legend's; five standard deviations of a sample's share.
      assert.approximately(drawn.length - 1, 4500, 5 * Math.sqrt(5000 * 0.1 * 0.9))
      const heights = drawn.slice(0, -1).map(({ cy }) => Number(cy))
      const { place } = Document.embedded(svg)
      const mean = heights.reduce((sum, y) => sum + y, 0) / heights.length
      assert.approximately(mean, place.y + place.height / 2, (5 * place.height) / Math.sqrt(12 * heights.length))
      const few = yield* Landscape.svg({ ...plane, probability, points: points.slice(0, 5000) })
      assert.notMatch(few, /examples drawn/)
      assert.strictEqual(circles(few).length - 1, 5000)
    })
  )

  it.effect("does not take the number of a class for its probability", () =>
    Effect.gen(function* () {
      const probability = over((x) => logistic(x))
      const svg = yield* Landscape.svg({ ...plane, classNames: ["0", "1"], probability })
      assert.includeMembers([...Document.texts(svg)], ["class 0", "class 1", "probability of class 1"])
    })
  )

  it.effect("gives the same bytes for the same data", () =>
    Effect.gen(function* () {
      const draw = Landscape.svg({ ...plane, probability: over((x, y) => logistic(x * y)) })
      assert.strictEqual(yield* draw, yield* draw)
    })
  )

  it.effect.prop("stays well-formed whatever the title says", [Schema.String], ([title]) =>
    Effect.gen(function* () {
      const svg = yield* Landscape.svg({ grid: 2, title: `${title}<&"\u0000\ud800`, probability: [0, 1, 1, 0] })
      assert.strictEqual(Document.elements(svg, "image").length, 1)
    })
  )

  it.effect("refuses data that do not fit, in one line", () =>
    Effect.gen(function* () {
      const say = (settings: Parameters<typeof Landscape.panel>[0]) =>
        Landscape.panel(settings).pipe(
          Effect.flip,
          Effect.map((error) => error.message)
        )
      assert.strictEqual(
        yield* say({ panels: [{ probability: [0.5] }] }),
        "Landscape: expected 40000 probabilities (200×200), but 1 came; set grid to the number of cells a side, and evaluate at Plane.inputs"
      )
      assert.match(yield* say({ panels: [] }), /one panel or more, but none came/)
      assert.match(
        yield* say({
          extents: [
            [-3, 3],
            [3, -3]
          ],
          panels: [{ probability: [] }]
        }),
        /low < high, but \[3, -3\] came/
      )
      assert.match(yield* say({ grid: 1.5, panels: [{ probability: [] }] }), /but 1.5 came/)
    })
  )
})
