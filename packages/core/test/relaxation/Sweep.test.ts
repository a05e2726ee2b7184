import { assert, describe, it } from "@effect/vitest"
import { Auxiliaries, Circuit, Cut, Engine, Initializer, Program, ReferenceEngine, Segments, Sweep } from "@rai/core"
import { Effect } from "effect"
import * as Bend from "../../src/relaxation/Bend.ts"
import * as Fixture from "../fixtures/Fixture.ts"
import * as Maps from "../fixtures/Maps.ts"

interface Case extends Bend.Point {
  readonly widths: ReadonlyArray<number>
  readonly activation: Circuit.Activation
  readonly x: Fixture.Numbers
  readonly start: Maps.Parameters
  readonly swept: Maps.Parameters
  readonly auxiliaries: ReadonlyArray<Fixture.Numbers>
}

/** Written by sweep.py: the same maths in NumPy in float64. */
const fixture = Fixture.read<{
  readonly points: ReadonlyArray<Bend.Point & { readonly activation: Circuit.Activation; readonly stages: number }>
  readonly cases: ReadonlyArray<Case>
}>("sweep.json")

const tolerance = 1e-6

const named = ({ activation, widths, x }: Case): string =>
  `${widths.length > 9 ? `${widths.length - 1} maps` : widths} of ${activation} on ${(x as ReadonlyArray<unknown>).length} points`

const swept = Effect.fnUntraced(function* (recorded: Case) {
  const circuit = Circuit.perceptron(recorded.widths, { activation: recorded.activation })
  const x = Fixture.array(recorded.x)
  const given = Maps.stacked(circuit, recorded.start)
  const { parameters, predictions } = yield* Sweep.make(circuit, given, x)
  return { circuit, x, given, parameters, predictions }
})

describe("the sweep is NumPy's, float64", () => {
  for (const recorded of fixture.cases) {
    it.effect(`${named(recorded)}: auxiliaries and weights, within ${tolerance}`, () =>
      Effect.gen(function* () {
        const { circuit, parameters, predictions } = yield* swept(recorded)
        Maps.of(circuit)
          .slice(0, -1)
          .forEach(({ path }, i) => {
            Fixture.near(predictions.get(path)!, recorded.auxiliaries[i]!, tolerance, `auxiliary ${i + 1}`)
          })
        Maps.near(circuit, parameters, recorded.swept, tolerance)
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )

    it.effect(`${named(recorded)}: the free run of the swept weights produces the auxiliaries, within 1e-9`, () =>
      Effect.gen(function* () {
        const { circuit, given, parameters, x } = yield* swept(recorded)
        const sites = Cut.sites(circuit, Cut.paper)
        const auxiliaries = yield* Auxiliaries.sweep(circuit, sites, given, x)
        const program = yield* Program.make({ ...Circuit.signature(circuit), x: x.shape }, (of) =>
          Auxiliaries.freeRun(circuit, sites, (name) => of[name as "x"], of.x)
        )
        const predictions = yield* Engine.run(program, { ...parameters, x })
        assert.sameMembers(
          Object.keys(auxiliaries),
          Segments.places(circuit, sites).map(({ name }) => name)
        )
        for (const [place, ẑ] of Object.entries(predictions)) Fixture.near(ẑ, auxiliaries[place]!, 1e-9, place)
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )

    it.effect(`${named(recorded)}: each auxiliary has the spread that was asked for`, () =>
      Effect.gen(function* () {
        const { predictions } = yield* swept(recorded)
        const hidden = [...predictions.values()].slice(0, -1)
        for (const z of hidden) {
          const [examples, units] = z.shape as readonly [number, number]
          const column = (j: number) => Array.from({ length: examples }, (_, i) => z.data[i * units + j]!)
          const squares = Array.from({ length: units }, (_, j) => {
            const mean = column(j).reduce((a, b) => a + b) / examples
            return column(j).reduce((total, value) => total + (value - mean) ** 2, 0)
          })
          const spread = Math.sqrt(squares.reduce((a, b) => a + b) / (examples * units))
          // Directions below 3e-3 of the largest pass as they are; they add at most that much.
          assert.approximately(spread, recorded.spread, 1e-3)
        }
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }

  it.effect("leaves the given parameters and the last map as they are", () =>
    Effect.gen(function* () {
      const [recorded] = fixture.cases
      const { circuit, given, parameters } = yield* swept(recorded!)
      const last = Maps.of(circuit).at(-1)!.leaf
      assert.deepStrictEqual(given, Maps.stacked(circuit, recorded!.start))
      assert.deepStrictEqual(parameters[`${last}.weight`], given[`${last}.weight`])
      assert.deepStrictEqual(parameters[`${last}.bias`], given[`${last}.bias`])
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("examples that are all one are nothing to carry on: the parameters stay as they are", () =>
    Effect.gen(function* () {
      const circuit = Circuit.perceptron([2, 4, 4, 4, 1], { activation: "tanh" })
      const given = Initializer.pytorch(circuit, 1)
      for (const point of [
        [1, 2],
        [0.1, 0.7]
      ]) {
        const { parameters } = yield* Sweep.make(circuit, given, Fixture.array(Array<typeof point>(7).fill(point)))
        for (const [name, { data, shape }] of Object.entries(given))
          Fixture.near(parameters[name]!, { shape, data: Float64Array.from(data) }, 0, name)
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})

describe("a map that loses directions", () => {
  for (const [name, change] of [
    ["all weights 0", () => 0],
    ["all units alike", () => 0.1]
  ] as const) {
    it.effect(`${name}: stays finite`, () =>
      Effect.gen(function* () {
        const circuit = Circuit.perceptron([2, 4, 4, 4, 1], { activation: "tanh" })
        const given = Initializer.pytorch(circuit, 1)
        const { data, shape } = given["1.*.1.weight"]!
        const losing = { ...given, "1.*.1.weight": { shape, data: data.map(change) } }
        const x = Fixture.array(fixture.cases[0]!.x)
        for (const array of Object.values((yield* Sweep.make(circuit, losing, x)).parameters))
          assert.isTrue(array.data.every((value) => Math.abs(value) < 1e6))
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})

describe("how far a stage may bend", () => {
  for (const { activation, offset, spread, stages } of fixture.points) {
    it.effect(`${activation}, ${stages} stages: as adaptive quadrature has it, within 1e-3`, () =>
      Effect.gen(function* () {
        const found = yield* Bend.point(Circuit.activations[activation], stages)
        assert.approximately(found.spread, spread, 1e-3)
        assert.approximately(found.offset, offset, 1e-3)
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})
