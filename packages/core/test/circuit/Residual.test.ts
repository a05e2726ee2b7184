import { assert, describe, it } from "@effect/vitest"
import { Circuit, Cut, Engine, FreeRun, Initializer, NdArray, ReferenceEngine, Segments } from "@rai/core"
import { Effect } from "effect"

const { linear, perceptron, print, repeat, residual, sequence, tanh } = Circuit

const block = residual(sequence(tanh, linear(3, 3)))
const deep = sequence(linear(2, 3), repeat(block, 4), tanh, linear(3, 1))

describe("residual circuits", () => {
  it.effect("z + f(z), as counted by hand", () =>
    Effect.gen(function* () {
      const circuit = sequence(linear(1, 1), repeat(residual(sequence(Circuit.relu, linear(1, 1))), 2), linear(1, 1))
      const program = yield* FreeRun.program(circuit)
      const { output } = yield* Engine.run(program, {
        "0.weight": NdArray.make([1, 1], [2]),
        "0.bias": NdArray.make([1], [1]),
        "1.*.0.1.weight": NdArray.make([2, 1, 1], [10, 100]),
        "1.*.0.1.bias": NdArray.make([2, 1], [5, -7]),
        "2.weight": NdArray.make([1, 1], [1]),
        "2.bias": NdArray.make([1], [0]),
        x: NdArray.make([2, 1], [3, -3])
      })
      // 3: 7, 7 + 75 = 82, 82 + 8193;  −3: −5, −5 + 5 = 0, 0 − 7
      assert.deepStrictEqual([...output!.data], [8275, -7])
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it("a perceptron has a way around each map between equal hidden widths", () => {
    const of = (...widths: ReadonlyArray<number>) => print(perceptron(widths, { activation: "tanh", residual: true }))
    assert.strictEqual(of(2, 5, 5, 5, 1), "linear 2→5, 2 × (residual (tanh, linear 5→5)), tanh, linear 5→1")
    assert.strictEqual(of(2, 5, 5, 1), "linear 2→5, residual (tanh, linear 5→5), tanh, linear 5→1")
    assert.strictEqual(of(3, 3, 3, 3), "linear 3→3, residual (tanh, linear 3→3), tanh, linear 3→3")
    assert.strictEqual(of(3, 3, 3), "linear 3→3, tanh, linear 3→3")
    assert.strictEqual(of(2, 1), "linear 2→1")
    assert.strictEqual(
      of(2, 4, 4, 6, 6, 6, 2),
      "linear 2→4, residual (tanh, linear 4→4), tanh, linear 4→6, 2 × (residual (tanh, linear 6→6)), tanh, linear 6→2"
    )
    assert.strictEqual(
      print(perceptron([3, 3, 3, 3], { activation: "tanh" })),
      "linear 3→3, tanh, linear 3→3, tanh, linear 3→3"
    )
  })

  it("parameters, depth and sites count what is within, and the sum once a turn", () => {
    assert.deepStrictEqual(Object.keys(Circuit.parameters(deep)), [
      "0.weight",
      "0.bias",
      "1.*.0.1.weight",
      "1.*.0.1.bias",
      "3.weight",
      "3.bias"
    ])
    assert.deepStrictEqual(Circuit.signature(deep)["1.*.0.1.weight"], [4, 3, 3])
    assert.strictEqual(Circuit.depth(deep), 6)
    assert.deepStrictEqual(Effect.runSync(FreeRun.widths(deep)), { inputs: 2, outputs: 1 })
    const turn = Circuit.sites(deep).slice(4, 7)
    assert.deepStrictEqual(
      turn.map(({ block, leaf, path, turn }) => [path, leaf, turn, block.kind]),
      [
        ["1.1.0.0", "1.*.0.0", 1, "tanh"],
        ["1.1.0.1", "1.*.0.1", 1, "linear"],
        ["1.1", "1.*", 1, "residual"]
      ]
    )
  })

  it("each map within is shortened by the number of sums, also where one goes around the whole circuit", () => {
    const inner = residual(sequence(tanh, linear(3, 3)))
    const start = Initializer.orthogonal(
      residual(sequence(linear(3, 3), inner, tanh, linear(3, 3), tanh, linear(3, 3))),
      1
    )
    for (const name of ["0.1.0.1.weight", "0.3.weight"]) {
      const lengths = Array.from(start[name]!.data).reduce((sum, w) => sum + w * w, 0)
      assert.closeTo(lengths, 3 / 2, 1e-6, name)
    }
  })

  it("cuts lie within, behind the sums, or where a predicate says", () => {
    const paths = (cut: Partial<Cut.Cut>, circuit: Circuit.Circuit = deep) => [
      ...Cut.sites(circuit, { ...Cut.paper, ...cut })
    ]
    assert.deepStrictEqual(paths({}), ["0", "1.0.0.1", "1.1.0.1", "1.2.0.1", "1.3.0.1"])
    assert.deepStrictEqual(paths({ after: "residual" }), ["0", "1.0", "1.1", "1.2", "1.3"])
    assert.deepStrictEqual(paths({ after: "residual", every: 2 }), ["1.0", "1.2"])
    assert.deepStrictEqual(paths({ after: "activation" }), ["1.0.0.0", "1.1.0.0", "1.2.0.0", "1.3.0.0", "2"])
    assert.deepStrictEqual(paths({ after: ({ kind, path }) => kind === "residual" && path.endsWith("2") }), ["1.2"])
    // The sum at the end is the output; what is added to it is not.
    assert.deepStrictEqual(paths({ after: "residual" }, block), [])
    assert.deepStrictEqual(paths({ after: "residual", output: true }, block), [""])
    assert.deepStrictEqual(paths({}, block), ["0.1"])
  })

  it("turns are stacked where the sums are cut, and not where something goes around every cut", () => {
    const places = (circuit: Circuit.Circuit, after: Cut.Cut["after"]) =>
      Segments.places(circuit, Cut.sites(circuit, { ...Cut.paper, after })).map(({ name, stacked }) => [name, stacked])
    assert.deepStrictEqual(places(deep, "residual"), [
      ["0", false],
      ["1.*", true]
    ])
    assert.deepStrictEqual(
      places(deep, ({ kind, path }) => kind !== "tanh" && path.startsWith("1")),
      [
        ["1.*.0.1", true],
        ["1.*", true]
      ]
    )
    assert.deepStrictEqual(places(deep, "linear"), [
      ["0", false],
      ["1.0.0.1", false],
      ["1.1.0.1", false],
      ["1.2.0.1", false],
      ["1.3.0.1", false]
    ])
    const followed = sequence(repeat(sequence(block, tanh, linear(3, 3)), 3), tanh, linear(3, 1))
    assert.deepStrictEqual(
      places(followed, "linear").every(([, stacked]) => stacked),
      true
    )
  })

  it.effect("a child that changes the width is named", () =>
    Effect.gen(function* () {
      const outputs: number = 1
      const error = yield* Effect.flip(FreeRun.program(sequence(linear(2, 3), residual(linear(3, outputs)))))
      assert.strictEqual(
        error.message,
        "residual in block 1: expected [batch,3], but [batch,1] came; change the widths so that they fit"
      )
    })
  )
})
