import { assert, describe, it } from "@effect/vitest"
import {
  Auxiliaries,
  Circuit,
  Coordinates,
  Cut,
  Engine,
  Initializer,
  Moons,
  NdArray,
  Program,
  Pseudorandom,
  ReferenceEngine,
  Segments,
  Start
} from "@rai/core"
import { Effect } from "effect"

const deep = (activation: Circuit.Activation) => Circuit.perceptron([2, 8, 8, 8, 8, 1], { activation })

/** Returns the largest |W Wᵀ − I|, or |Wᵀ W − I| where there are fewer outputs than inputs, over all turns of a stacked weight. */
const distanceFromIsometric = (data: ArrayLike<number>, shape: ReadonlyArray<number>): number => {
  const [inputs, outputs] = shape.slice(-2) as [number, number]
  const [count, length] = inputs <= outputs ? [inputs, outputs] : [outputs, inputs]
  let worst = 0
  for (let turn = 0; turn < data.length / (inputs * outputs); turn++) {
    const at = (vector: number, k: number) =>
      data[turn * inputs * outputs + (inputs <= outputs ? vector * outputs + k : k * outputs + vector)]!
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        let dot = 0
        for (let k = 0; k < length; k++) dot += at(i, k) * at(j, k)
        worst = Math.max(worst, Math.abs(dot - (i === j ? 1 : 0)))
      }
    }
  }
  return worst
}

/** Computes the prediction at each of the paper's cuts for points in the plane. */
const predictions = Effect.fnUntraced(function* (
  circuit: Circuit.Circuit,
  parameters: Engine.Arrays,
  points: ArrayLike<number>
) {
  const x = { shape: [points.length / 2, 2], data: Float64Array.from(points) }
  const program = yield* Program.make({ ...Circuit.signature(circuit), x: x.shape }, (given) =>
    Auxiliaries.freeRun(circuit, Cut.sites(circuit, Cut.paper), (name) => given[name as "x"], given.x)
  )
  return yield* Engine.run(program, { ...parameters, x })
})

describe("initialisers", () => {
  it("give the same arrays for the same seed and others for another", () => {
    for (const initializer of Object.values(Initializer.table)) {
      assert.deepStrictEqual(initializer(deep("tanh"), 5), initializer(deep("tanh"), 5))
      assert.notDeepEqual(initializer(deep("tanh"), 5), initializer(deep("tanh"), 6))
    }
  })

  const unequal = Circuit.perceptron([30, 200, 300, 120, 2], { activation: "tanh" })

  /** Returns variance, fourth moment over squared variance (1.8 for a uniform, 3 for a normal distribution) and bound of each weight. */
  const moments = (data: ArrayLike<number>) => {
    const numbers = Array.from(data)
    const mean = (power: number) => numbers.reduce((total, w) => total + w ** power, 0) / numbers.length
    const largest = numbers.reduce((most, w) => Math.max(most, Math.abs(w)), 0)
    return { mean: mean(1), variance: mean(2), kurtosis: mean(4) / mean(2) ** 2, largest }
  }

  const laws: ReadonlyArray<
    readonly [keyof typeof Initializer.table, (fanIn: number, fanOut: number) => number, "uniform" | "normal"]
  > = [
    ["pytorch", (fanIn) => 1 / (3 * fanIn), "uniform"],
    ["glorot", (fanIn, fanOut) => 2 / (fanIn + fanOut), "uniform"],
    ["he", (fanIn) => 2 / fanIn, "normal"],
    ["lecun", (fanIn) => 1 / fanIn, "normal"]
  ]
  for (const [name, variance, distribution] of laws) {
    it(`${name}: ${distribution}, with the variance of its fan, in each map`, () => {
      const parameters = Initializer.table[name](unequal, 3)
      for (const [path, { fanIn, fanOut, role }] of Object.entries(Circuit.parameters(unequal))) {
        const { data } = parameters[path]!
        if (role === "bias" && name !== "pytorch") {
          assert.isTrue(data.every((b) => b === 0))
          continue
        }
        const found = moments(data)
        const [expected, tolerance] = [variance(fanIn, fanOut), 5 / Math.sqrt(data.length)]
        assert.approximately(found.variance / expected, 1, tolerance, path)
        assert.approximately(found.mean / Math.sqrt(expected), 0, tolerance, path)
        if (data.length < 5000) continue
        assert.approximately(found.kurtosis, distribution === "uniform" ? 1.8 : 3, 0.15, path)
        if (distribution === "uniform") {
          const bound = Math.sqrt(3 * expected)
          assert.isAtMost(found.largest, bound * (1 + 1e-7))
          assert.isAtLeast(found.largest, 0.99 * bound)
        }
      }
    })
  }

  it("semi-orthogonal: unequal widths have orthonormal rows or columns, whichever are fewer, biases 0", () => {
    const circuit = Circuit.perceptron([3, 8, 8, 8, 5, 9, 2], { activation: "tanh" })
    const parameters = Initializer.semiOrthogonal(circuit, 4)
    for (const [path, { role, shape }] of Object.entries(Circuit.parameters(circuit))) {
      const { data } = parameters[path]!
      if (role === "bias") assert.isTrue(data.every((b) => b === 0))
      else assert.isBelow(distanceFromIsometric(data, shape), 1e-6, path)
    }
  })

  it("orthogonal: unequal hidden widths too; the first map is twice pytorch's, the last is pytorch's", () => {
    const circuit = Circuit.perceptron([2, 8, 5, 9, 3], { activation: "tanh" })
    const [parameters, pytorch] = [Initializer.orthogonal(circuit, 4), Initializer.pytorch(circuit, 4)]
    const maps = Circuit.leaves(circuit).filter(({ block }) => block.kind === "linear")
    for (const [i, { block, path }] of maps.entries()) {
      const weight = parameters[`${path}.weight`]!
      const { inputs, outputs } = block.settings as { readonly inputs: number; readonly outputs: number }
      const given = pytorch[`${path}.weight`]!
      if (i === 0)
        assert.deepStrictEqual(
          [...weight.data],
          [...given.data].map((w) => 2 * w)
        )
      else if (i === maps.length - 1) assert.deepStrictEqual(weight, given)
      else assert.isBelow(distanceFromIsometric(weight.data, [inputs, outputs]), 1e-6, path)
    }
  })

  it("orthogonal: hidden maps of tanh circuits are orthogonal with bias 0", () => {
    const parameters = Initializer.orthogonal(deep("tanh"), 2)
    assert.isBelow(distanceFromIsometric(parameters["1.*.1.weight"]!.data, [3, 8, 8]), 1e-6)
    assert.isTrue(parameters["1.*.1.bias"]!.data.every((b) => b === 0))
  })

  it("orthogonal: sigmoid circuits get it in tanh coordinates", () => {
    const circuit = deep("sigmoid")
    const inTanh = Coordinates.toTanh(circuit, Initializer.orthogonal(circuit, 2))
    assert.isBelow(distanceFromIsometric(inTanh["1.*.1.weight"]!.data, [3, 8, 8]), 1e-5)
    assert.isTrue(inTanh["1.*.1.bias"]!.data.every((b) => Math.abs(b) < 1e-6))
  })

  it("orthogonal: relu circuits are mirrored, [[Q, −Q], [−Q, Q]] behind [w, −w]", () => {
    const parameters = Initializer.orthogonal(deep("relu"), 2)
    const [first, hidden] = [parameters["0.weight"]!.data, parameters["1.*.1.weight"]!.data]
    for (let row = 0; row < 2; row++) {
      for (let j = 0; j < 4; j++) assert.strictEqual(first[row * 8 + 4 + j], -first[row * 8 + j]!)
    }
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) {
        const q = hidden[i * 8 + j]!
        assert.deepStrictEqual(
          [hidden[i * 8 + 4 + j], hidden[(i + 4) * 8 + j], hidden[(i + 4) * 8 + 4 + j]],
          [-q, -q, q]
        )
      }
    }
  })

  it.effect(
    "mirrored: with relu every hidden map's prediction is linear in the input, and equal widths keep its length",
    () =>
      Effect.gen(function* () {
        for (const hidden of [
          [8, 8, 8, 8],
          [8, 12, 6, 6, 10]
        ]) {
          const circuit = Circuit.perceptron([2, ...hidden, 3], { activation: "relu" })
          const parameters = Initializer.mirrored(circuit, 5)
          // Without the first map's bias, linear is more than affine.
          const without = { ...parameters, "0.bias": NdArray.full([hidden[0]!], 0) }
          const points = [Pseudorandom.make(1).normals(10), Pseudorandom.make(2).normals(10)] as const
          const mixed = points[0].map((x, i) => 2 * x - 3 * points[1][i]!)
          const [f, g, both] = [
            yield* predictions(circuit, without, points[0]),
            yield* predictions(circuit, without, points[1]),
            yield* predictions(circuit, without, mixed)
          ]
          for (const [place, z] of Object.entries(both)) {
            z.data.forEach((value, i) => {
              assert.approximately(value, 2 * f[place]!.data[i]! - 3 * g[place]!.data[i]!, 1e-6)
            })
          }
          const lengths = Object.values(f).flatMap(({ data, shape }) => {
            const [turns, size] = shape.length === 3 ? [shape[0]!, data.length / shape[0]!] : [1, data.length]
            return Array.from({ length: turns }, (_, t) => Math.hypot(...data.slice(t * size, (t + 1) * size)))
          })
          if (new Set(hidden).size === 1)
            for (const length of lengths) assert.approximately(length / lengths[0]!, 1, 1e-6)
        }
      }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it("a parameter with an array to start from has it in every turn of a repeated block", () => {
    const scale = { shape: [2], role: "scale", fanIn: 2, fanOut: 2, initial: NdArray.make([2], [3, 4]) } as const
    const block = { ...Circuit.tanh, kind: "scaled", parameters: { scale } }
    const circuit = Circuit.sequence(Circuit.linear(2, 2), Circuit.repeat(block, 3), Circuit.linear(2, 1))
    const start = Initializer.pytorch(circuit, 1)
    assert.deepStrictEqual(start["1.*.scale"], NdArray.make([3, 2], [3, 4, 3, 4, 3, 4]))
  })

  it.effect("orthogonal: signals keep their length whatever functions stand between the maps", () =>
    Effect.gen(function* () {
      const { identity, linear, relu, sequence, sigmoid, tanh } = Circuit
      const x = Pseudorandom.make(1).normals(60)
      const between: ReadonlyArray<ReadonlyArray<Circuit.Circuit>> = [
        [tanh],
        [sigmoid],
        [identity],
        [],
        [sigmoid, relu]
      ]
      for (const functions of between) {
        const stages = Array.from({ length: 12 }, (_, i) =>
          sequence(...functions.slice(i % 2, (i % 2) + 1), linear(8, 8))
        )
        const circuit = sequence(linear(2, 8), ...stages, relu, linear(8, 1))
        const parameters = Initializer.orthogonal(circuit, 3)
        const found = yield* predictions(circuit, parameters, x)
        const spreads = Object.values(found).map(({ data }) => {
          const units = Array.from({ length: 8 }, (_, j) => moments(data.filter((_, i) => i % 8 === j)))
          return Math.sqrt(units.reduce((total, { mean, variance }) => total + variance - mean ** 2, 0) / 8)
        })
        const ratio = spreads.at(-1)! / spreads[0]!
        assert.isTrue(ratio > 0.01 && ratio < 3, `${functions.map(Circuit.print)}: ${ratio}`)
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("mirrored: the one unit too many of an odd width changes nothing that goes on, and is alive", () =>
    Effect.gen(function* () {
      const circuit = Circuit.perceptron([2, 9, 9, 9, 9, 1], { activation: "relu" })
      const parameters = Initializer.orthogonal(circuit, 2)
      const x = Pseudorandom.make(1).normals(40)
      const found = Object.values(yield* predictions(circuit, parameters, x)).at(-1)!
      const [turns, examples, units] = found.shape as readonly [number, number, number]
      const at = (turn: number, example: number) =>
        Array.from({ length: units }, (_, unit) => found.data[(turn * examples + example) * units + unit]!)
      const length = (z: ReadonlyArray<number>) => Math.hypot(...z.slice(0, 8))
      for (let turn = 0; turn < turns; turn++) {
        const spare = Array.from({ length: examples }, (_, example) => at(turn, example)[8]!)
        assert.isTrue(spare.some((z) => z > 1e-3))
        for (let example = 0; example < examples; example++)
          assert.approximately(length(at(turn, example)), length(at(0, example)), 1e-6)
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  for (const activation of ["sigmoid", "tanh", "relu", "gelu"] as const) {
    it.effect(`lsuv: each hidden map's predictions on the data have variance 1, ${activation}`, () =>
      Effect.gen(function* () {
        const circuit = Circuit.perceptron([2, 30, 30, 30, 20, 20, 3], { activation })
        const { inputs: x } = yield* Moons.make({ examples: 60, seed: 2 })
        const parameters = yield* Start.table.lsuv(circuit, 6, x)
        const found = Object.entries(yield* predictions(circuit, parameters, x.data))
        assert.strictEqual(found.length, Segments.places(circuit, Cut.sites(circuit, Cut.paper)).length)
        for (const [place, z] of found) {
          const turns = place.includes("*") ? z.shape[0]! : 1
          for (let turn = 0; turn < turns; turn++) {
            const own = z.data.slice((turn * z.data.length) / turns, ((turn + 1) * z.data.length) / turns)
            const { mean, variance } = moments(own)
            assert.approximately(variance - mean ** 2, 1, 1e-4, `${place}, turn ${turn}`)
          }
        }
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }

  it.effect("lsuv leaves a map alone whose predictions differ by rounding alone", () =>
    Effect.gen(function* () {
      const circuit = Circuit.perceptron([2, 1, 1, 1], { activation: "tanh" })
      const x = { shape: [7, 2], data: Float64Array.from({ length: 14 }, (_, i) => (i % 2 === 0 ? 0.1 : 0.7)) }
      for (const seed of [1, 2, 3]) {
        const parameters = yield* Start.table.lsuv(circuit, seed, x)
        for (const [name, { data }] of Object.entries(parameters)) {
          assert.isTrue(
            data.every((value) => Math.abs(value) < 10),
            `${name} at seed ${seed}: ${data}`
          )
        }
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})
