/**
 * A perceptron as a graph equals the perceptron: in its relaxed objective and every gradient, place by place.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  CircuitSpec,
  Cut,
  Engine,
  FreeRun,
  Gradient,
  HiddenLoss,
  Initializer,
  Loss,
  type NdArray,
  Program,
  Pseudorandom,
  ReferenceEngine,
  RelaxedObjective,
  ShapeMismatch,
  type Tensor
} from "@rai/core"
import { Effect } from "effect"

const perceptron = Circuit.sequence(
  Circuit.linear(2, 3),
  Circuit.tanh,
  Circuit.linear(3, 4),
  Circuit.sigmoid,
  Circuit.linear(4, 1)
)

const draw = (shape: ReadonlyArray<number>, label: string): NdArray.NdArray => ({
  shape,
  data: Pseudorandom.stream(1, label).normals(shape.reduce((a, b) => a * b, 1))
})

const parameters = Object.fromEntries(
  Object.entries(Circuit.parameters(perceptron)).map(([name, { shape }]) => [name, draw(shape, name)])
)

/** The perceptron's free run as a graph, with its blocks as places in the same order and under the same names. */
const graph = Effect.gen(function* () {
  const program = yield* FreeRun.program(perceptron)
  const chain: Array<Tensor.Tensor> = []
  for (let node = program.outputs.output!; node.primitive.name !== "input"; node = node.operands[0]!)
    chain.unshift(node)
  const [, first, tanh, , second, sigmoid, , last] = chain as [Tensor.Tensor, ...Array<Tensor.Tensor>]
  const kinds = [
    ["0", "Gemm", "map", first],
    ["1", "Tanh", "activation", tanh],
    ["2", "Gemm", "map", second],
    ["3", "Sigmoid", "activation", sigmoid],
    ["4", "MatMul", "map", last]
  ] as const
  const places = kinds.map(([name, kind, role, result]) => ({ name, kind, role, result: result! }))
  return Circuit.graph({ program, places }, Circuit.parameters(perceptron))
})

const relaxed = Effect.fnUntraced(function* (circuit: Circuit.Circuit, sites: ReadonlySet<string>) {
  const names = Object.keys(parameters)
  const auxiliaries = { "z/0": draw([5, 3], "z0"), "z/2": draw([5, 4], "z2") }
  const arrays: Engine.Arrays = { ...parameters, ...auxiliaries, x: draw([5, 2], "x"), y: draw([5, 1], "y") }
  const signature = Object.fromEntries(Object.entries(arrays).map(([name, { shape }]) => [name, shape]))
  const program = yield* Program.make(signature, (given: Readonly<Record<string, Tensor.Tensor>>) => {
    const relaxation = { sites, hidden: HiddenLoss.squared, energy: "mean", λ: 1 } as const
    const { loss } = RelaxedObjective.make(
      circuit,
      relaxation,
      Loss.forTask.regression,
      (name) => given[name]!,
      (place) => given[`z/${place}`]!,
      given.x!,
      given.y!
    )
    return { loss }
  })
  const derived = yield* Gradient.make({ of: "loss", inputs: [...names, ...Object.keys(auxiliaries)] })(program)
  return yield* Engine.run(derived, arrays)
})

const paths = (circuit: Circuit.Circuit, after: Cut.Cut["after"], output = false) => [
  ...Cut.sites(circuit, { after, every: 1, output })
]

describe("a graph", () => {
  it.effect("is relaxed as the circuit that it equals", () =>
    Effect.gen(function* () {
      const own = yield* graph
      const sites = Cut.sites(own, Cut.paper)
      assert.deepStrictEqual([...sites], ["0", "2"])
      const [came, expected] = [yield* relaxed(own, sites), yield* relaxed(perceptron, sites)]
      assert.deepStrictEqual(Object.keys(came).sort(), Object.keys(expected).sort())
      for (const [name, { data }] of Object.entries(expected)) {
        data.forEach((b: number, i: number) => {
          assert.approximately(came[name]!.data[i]!, b, 1e-12, name)
        })
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("is cut after its maps, its functions, or operators by name, the output where that is asked for", () =>
    Effect.gen(function* () {
      const own = yield* graph
      assert.deepStrictEqual(paths(own, "linear", true), ["0", "2", "4"])
      assert.deepStrictEqual(paths(own, "activation"), ["1", "3"])
      assert.deepStrictEqual(paths(own, "Gemm+MatMul"), ["0", "2"])
      assert.deepStrictEqual(paths(own, "Sigmoid"), ["3"])
      assert.deepStrictEqual(paths(Circuit.sequence(own, Circuit.linear(1, 1)), "linear"), ["0.0", "0.2", "0.4"])
      assert.strictEqual(Circuit.depth(own), 3)
    })
  )

  it.effect("gives a parameter to the place that uses it, whichever operand comes first", () =>
    Effect.gen(function* () {
      // w is visited before what it multiplies, as the weight of a grouped convolution is.
      const program = yield* Program.make({ x: ["batch", 2], v: [2, 3], w: [1, 3, 3] }, ({ v, w, x }) => {
        const first = x.matMul(v)
        return { output: w.matMul(first.reshape(["batch", 3, 1])).reshape(["batch", 3]) }
      })
      const second = program.outputs.output!
      const [first] = program.nodes.filter(({ operands }) => operands.includes(program.inputs.x!))
      const own = { role: "weight", fanIn: 3, fanOut: 3 } as const
      const places = [
        { name: "first", kind: "MatMul", role: "map", result: first! },
        { name: "second", kind: "Conv", role: "map", result: second }
      ] as const
      const circuit = Circuit.graph(
        { program, places },
        { v: { ...own, shape: [2, 3] }, w: { ...own, shape: [1, 3, 3] } }
      )
      assert.deepStrictEqual(
        Circuit.sites(circuit).map(({ block }) => Object.keys(block.parameters)),
        [["v"], ["w"]]
      )
    })
  )

  it.effect("starts from its own parameters, whatever the initialiser", () =>
    Effect.gen(function* () {
      const own = yield* graph
      const started = Object.fromEntries(
        Object.entries(Circuit.parameters(perceptron)).map(([name, of]) => [
          name,
          { ...of, initial: parameters[name]! }
        ])
      )
      const circuit = Circuit.graph(own.graph!, started)
      for (const initializer of Object.values(Initializer.table)) {
        const start = initializer(circuit, 3)
        for (const [name, { data }] of Object.entries(parameters)) {
          assert.deepStrictEqual([...start[name]!.data], [...Float32Array.from(data)])
        }
      }
    })
  )

  it.effect("comes back from JSON; another JSON is refused, and so is another width", () =>
    Effect.gen(function* () {
      const own = yield* graph
      const json = JSON.parse(JSON.stringify(CircuitSpec.toJson(own)))
      assert.deepStrictEqual(CircuitSpec.toJson(yield* CircuitSpec.fromJson(json)), CircuitSpec.toJson(own))
      const refused = "expected a graph as rai wrote it, but another came; take the circuit from its model again"
      for (const change of [
        { nodes: [] },
        { nodes: json.graph.nodes.with(0, { primitive: "input", operands: [], attributes: {} }) },
        { nodes: json.graph.nodes.with(3, { primitive: "matMul", operands: [77], attributes: {} }) },
        { parameters: {} }
      ]) {
        const error = yield* Effect.flip(CircuitSpec.fromJson({ graph: { ...json.graph, ...change } }))
        assert.strictEqual(error.message, refused)
      }
      const error = yield* Effect.flip(FreeRun.program(Circuit.sequence(Circuit.linear(2, 3), own)))
      assert.instanceOf(error, ShapeMismatch)
      assert.strictEqual(
        error.message,
        "graph in block 1: expected [batch, 2], but [batch,3] came; change the widths so that they fit"
      )
    })
  )
})
