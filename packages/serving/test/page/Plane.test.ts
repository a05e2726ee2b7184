import { assert, describe, it } from "@effect/vitest"
import { interpolateViridis } from "d3-scale-chromatic"
import * as Plane from "../../src/page/browser/Plane.ts"
import * as Viridis from "../../src/page/browser/Viridis.ts"

const rgb = (colour: string) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
const tensor = (name: string, datatype: string, ...shape: ReadonlyArray<number>) => ({ name, datatype, shape })

describe("Viridis", () => {
  it("is d3-scale-chromatic's, colour by colour", () => {
    for (let i = 0; i <= 1000; i++) {
      const at = 3 * Viridis.at(i / 1000)
      assert.deepStrictEqual([...Viridis.table.subarray(at, at + 3)], rgb(interpolateViridis(i / 1000)))
    }
  })

  it("holds what lies outside at its ends", () => {
    assert.deepStrictEqual([-1, 2].map(Viridis.at), [0, 255])
  })
})

describe("which models have one", () => {
  const input = (...inputs: ReadonlyArray<ReturnType<typeof tensor>>) => Plane.inputOf({ inputs, outputs: [] })?.name

  it("those of one input of rows of two numbers", () => {
    assert.strictEqual(input(tensor("x", "FP32", -1, 2)), "x")
    assert.strictEqual(input(tensor("x", "FP64", -1, 2)), "x")
    assert.isUndefined(input(tensor("x", "INT64", -1, 2)))
    assert.isUndefined(input(tensor("x", "FP32", 1, 2)))
    assert.isUndefined(input(tensor("x", "FP32", -1, 3)))
    assert.isUndefined(input(tensor("x", "FP32", -1, 2), tensor("n", "INT64")))
    assert.isUndefined(input())
  })

  it("the outputs with numbers for each row, the probability first", () => {
    const outputs = [
      tensor("logit", "FP32", -1, 1),
      tensor("text", "BYTES", -1),
      tensor("probability", "FP32", -1, 1),
      tensor("hidden", "FP32", -1, 8, 8),
      tensor("label", "INT64", -1, 1)
    ]
    assert.deepStrictEqual(
      Plane.outputsOf({ inputs: [], outputs }).map(({ name }) => name),
      ["probability", "logit", "label"]
    )
  })
})

describe("grid", () => {
  it("has the cells' centres, as the figures have them, the lowest second input first", () => {
    const plane = { low: -3, high: 3 }
    assert.deepStrictEqual(Plane.grid(plane, plane, 3).slice(0, 8), [-2, -2, 0, -2, 2, -2, -2, 0])
    assert.deepStrictEqual(Plane.grid({ low: 0, high: 1 }, { low: 10, high: 20 }, 2), [
      ...[0.25, 12.5, 0.75, 12.5],
      ...[0.25, 17.5, 0.75, 17.5]
    ])
  })
})

describe("column", () => {
  it("is one of several, and reads the strings that stand for no number", () => {
    assert.deepStrictEqual([...Plane.column([1, 2, 3, 4], 2, 1)], [2, 4])
    assert.deepStrictEqual([...Plane.column(["NaN", "-Infinity"], 2, 0)], [Number.NaN, Number.NEGATIVE_INFINITY])
  })
})

describe("scale", () => {
  const of = (...values: ReadonlyArray<number>) => Plane.scale(Float64Array.from(values))

  it("is that of probabilities where it can be, else as wide as the values", () => {
    assert.deepStrictEqual(of(0.25, 1, 0.5), { low: 0, high: 1 })
    assert.deepStrictEqual(of(-4, 1, Number.NaN, Number.POSITIVE_INFINITY), { low: -4, high: 1 })
    assert.deepStrictEqual(of(Number.NaN), { low: 0, high: 1 })
  })
})

describe("pixels", () => {
  it("have the values' colours, the highest second input on top, and none where there is no number", () => {
    const values = [0, 0.25, 0.5, Number.NaN]
    const drawn = Plane.pixels(Float64Array.from(values), 2, { low: 0, high: 1 })
    const pixel = (i: number) => [...drawn.subarray(4 * i, 4 * i + 4)]
    assert.deepStrictEqual(
      [pixel(2), pixel(3), pixel(0)],
      values.slice(0, 3).map((v) => [...rgb(interpolateViridis(v)), 255])
    )
    assert.deepStrictEqual(pixel(1), [0, 0, 0, 0])
  })
})

describe("boundary", () => {
  it("lies where a plane of values crosses the level", () => {
    const n = 20
    const range = { low: -1, high: 1 }
    const at = Plane.grid(range, range, n)
    const values = Float64Array.from({ length: n * n }, (_, i) => 2 * at[2 * i]! + at[2 * i + 1]!)
    const points = [...Plane.boundary(values, n, 0.5).matchAll(/[ML](\S+) (\S+?)(?=[ML]|$)/g)]
    assert.isAtLeast(points.length, 2 * (n - 2))
    for (const [, px, py] of points) {
      const [x, y] = [(2 * Number(px)) / n - 1, 1 - (2 * Number(py)) / n]
      assert.closeTo(2 * x + y, 0.5, 0.01)
    }
  })

  it("is a circle around a hill, of the right length", () => {
    const n = 60
    const range = { low: -1, high: 1 }
    const at = Plane.grid(range, range, n)
    const values = Float64Array.from({ length: n * n }, (_, i) => -Math.hypot(at[2 * i]!, at[2 * i + 1]!))
    const numbers = Plane.boundary(values, n, -0.5)
      .match(/[\d.]+/g)!
      .map(Number)
    let length = 0
    for (let i = 0; i < numbers.length; i += 4) {
      length += Math.hypot(numbers[i]! - numbers[i + 2]!, numbers[i + 1]! - numbers[i + 3]!)
    }
    assert.closeTo((2 * length) / n, Math.PI, 0.05)
  })

  it("is none where nothing crosses", () => {
    assert.strictEqual(Plane.boundary(new Float64Array(9), 3, 0.5), "")
    assert.strictEqual(Plane.boundary(new Float64Array(9).fill(Number.NaN), 3, 0.5), "")
  })
})
