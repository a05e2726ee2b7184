import { assert, describe, it } from "@effect/vitest"
import { Circuit, CircuitSpec, Cut, Program, type Tensor } from "@rai/core"
import { Effect } from "effect"
import { Diagram, Picture } from "../src/index.ts"
import * as Document from "./Document.ts"

const { branch, linear, perceptron, relu, repeat, residual, sequence, tanh } = Circuit

const deep = perceptron([2, ...Array<number>(100).fill(100), 1])

/** Returns every edge by its title from Graphviz, `0->1`. */
const edges = (svg: string) =>
  Array.from(Document.parse(svg).getElementsByTagName("title"))
    .map((title) => title.textContent ?? "")
    .filter((title) => title.includes("->"))

describe("Diagram", () => {
  it.effect("folds 99 equal stages into one, with shapes, parameters and cost", () =>
    Effect.gen(function* () {
      const texts = Document.texts(yield* Diagram.svg(deep, { cuts: Cut.sites(deep, { ...Cut.paper, every: 10 }) }))
      assert.includeMembers(
        [...texts],
        ["x: [2]", "linear 2→100", "× 99", "sigmoid", "[100] · 99 × 10,100 parameters · 99 × 20,100 FLOP", "ẑ: [1]"]
      )
      assert.deepStrictEqual(
        texts.filter((text) => text.startsWith("z")),
        ["z (10 of 99)"]
      )
    })
  )

  it.effect("leads ways around to their sums, and blocks side by side to what they give together", () =>
    Effect.gen(function* () {
      const circuit = sequence(
        linear(2, 3),
        residual(sequence(tanh, linear(3, 3))),
        branch(relu, linear(3, 1)),
        linear(4, 1)
      )
      const svg = yield* Diagram.svg(circuit, { cuts: new Set(["1"]) })
      assert.sameMembers(edges(svg), [
        "input->0",
        "0->1.0.0",
        "1.0.0->1.0.1",
        "1.0.1->1",
        "0->1",
        "1->z 1",
        "z 1->2.0",
        "z 1->2.1",
        "2.0->2",
        "2.1->2",
        "2->3",
        "3->output"
      ])
      assert.includeMembers([...Document.texts(svg)], ["+", "z", "concat", "[4]"])
    })
  )

  it.effect("leads the way around a repeated block from where each turn begins, within its frame", () =>
    Effect.gen(function* () {
      const turn = residual(sequence(tanh, linear(3, 3)))
      const svg = yield* Diagram.svg(sequence(linear(2, 3), repeat(turn, 4), linear(3, 1)))
      assert.sameMembers(edges(svg), [
        "input->0",
        "0->turn 1",
        "turn 1->1.0.0.0",
        "1.0.0.0->1.0.0.1",
        "1.0.0.1->1.0",
        "turn 1->1.0",
        "1.0->2",
        "2->output"
      ])
      const numbers = (d: string | undefined) => [...(d ?? "").matchAll(/-?[\d.]+/g)].map(([number]) => Number(number))
      const of = (title: string) =>
        Array.from(Document.parse(svg).getElementsByTagName("g")).find(
          (group) => group.getElementsByTagName("title")[0]?.textContent === title
        )!
      const frame = numbers(of("cluster 1").getElementsByTagName("path")[0]!.getAttribute("d")!)
      const across = numbers(of("turn 1->1.0").getElementsByTagName("path")[0]!.getAttribute("d")!)
      for (const at of [0, 1]) {
        const [xs, within] = [across, frame].map((all) => all.filter((_, i) => i % 2 === at))
        assert.isTrue(Math.min(...within!) < Math.min(...xs!) && Math.max(...xs!) < Math.max(...within!))
      }
    })
  )

  it.effect("draws every kind of block", () =>
    Effect.gen(function* () {
      const images = sequence(
        Circuit.columns({ inputs: 40, first: 4, count: 36 }),
        Circuit.unflatten({ channels: 1, height: 6, width: 6 }),
        Circuit.conv2d({ channels: 1, filters: 4, kernel: 3, padding: 1 }),
        Circuit.batchNorm(4),
        Circuit.maxPool2d({ kernel: 2 }),
        Circuit.averagePool2d({ kernel: 2, stride: 1 }),
        branch(Circuit.globalAveragePool, Circuit.globalMaxPool)
      )
      const signals = sequence(
        linear(8, 12),
        Circuit.unflatten({ channels: 2, length: 6 }),
        Circuit.conv1d({ channels: 2, filters: 2, kernel: 3, padding: 1 }),
        Circuit.maxPool1d({ kernel: 2 }),
        Circuit.averagePool1d({ kernel: 2, stride: 1 }),
        Circuit.flatten,
        Circuit.layerNorm(4),
        Circuit.dropout(0.1)
      )
      const functions = Object.values(Circuit.activations)
      const categories = sequence(
        Circuit.embedding({ inputs: 2, categories: 3, units: 2 }),
        Circuit.flatten,
        linear(4, 1)
      )
      const drawn = yield* Effect.forEach([sequence(images, signals, ...functions), categories], (circuit) =>
        Diagram.svg(circuit, { cuts: Cut.sites(circuit, Cut.paper) })
      )
      const texts = drawn.flatMap((svg) => [...Document.texts(svg)])
      for (const kind of CircuitSpec.kinds)
        assert.isTrue(
          texts.some((text) => text.startsWith(kind)),
          kind
        )
    })
  )

  it.effect("draws a repeat in a repeat, and a PNG", () =>
    Effect.gen(function* () {
      const inner = repeat(sequence(tanh, linear(2, 2)), 3)
      const svg = yield* Diagram.svg(sequence(linear(2, 2), repeat(inner, 4), linear(2, 1)))
      assert.includeMembers([...Document.texts(svg)], ["× 3", "× 4", "[2] · 12 × 6 parameters · 12 × 10 FLOP"])
      assert.isAbove(Document.pixels(yield* Picture.png(svg)).height, 400)
    })
  )

  it.effect("draws a repeat of nothing", () =>
    Effect.gen(function* () {
      const svg = yield* Diagram.svg(sequence(linear(2, 2), repeat(sequence(), 3), linear(2, 1)))
      assert.include([...Document.texts(svg)], "× 3")
    })
  )

  it.effect("draws each place of a graph, and where it is cut", () =>
    Effect.gen(function* () {
      const program = yield* Program.make({ x: ["batch", 2], a: [2, 3], b: [3, 1] }, ({ a, b, x }) => ({
        output: x
          .matMul(a)
          .tanh()
          .matMul(b)
          .add(x.sum([1]))
      }))
      const [product, around] = program.outputs.output!.operands as readonly [Tensor.Tensor, Tensor.Tensor]
      const [bent] = product.operands
      const places = [
        { name: "first", kind: "MatMul", role: "map", result: bent!.operands[0]! },
        { name: "bend", kind: "Tanh", role: "activation", result: bent! },
        { name: "second", kind: "MatMul", role: "map", result: product },
        { name: "sum", kind: "ReduceSum", role: "other", result: around },
        { name: "end", kind: "Add", role: "other", result: program.outputs.output! }
      ] as const
      const weight = (fanIn: number, fanOut: number) =>
        ({ shape: [fanIn, fanOut], role: "weight", fanIn, fanOut }) as const
      const circuit = Circuit.graph({ program, places }, { a: weight(2, 3), b: weight(3, 1) })
      const svg = yield* Diagram.svg(circuit, { cuts: Cut.sites(circuit, Cut.paper) })
      assert.sameMembers(edges(svg), [
        "input->first",
        "first->z first",
        "z first->bend",
        "bend->second",
        "second->z second",
        "input->sum",
        "z second->end",
        "sum->end",
        "end->output"
      ])
      assert.includeMembers([...Document.texts(svg)], ["Tanh", "[3] · 6 parameters · 12 FLOP", "x: [2]", "ẑ: [1]"])
    })
  )

  it.effect("draws places that are called as its ends are, or by what no XML may hold", () =>
    Effect.gen(function* () {
      const program = yield* Program.make({ x: ["batch", 2] }, ({ x }) => ({ output: x.tanh().exp().relu() }))
      const last = program.outputs.output!
      const [second] = last.operands as readonly [Tensor.Tensor]
      const places = [
        { name: "output", kind: "Tanh", role: "activation", result: second.operands[0]! },
        { name: "z output", kind: "Exp", role: "other", result: second },
        { name: "input\u0001", kind: "Relu", role: "activation", result: last }
      ] as const
      const svg = yield* Diagram.svg(Circuit.graph({ program, places }, {}), { cuts: new Set(["output"]) })
      assert.sameMembers(edges(svg), [
        "input->output",
        "output->z output′",
        "z output′->z output",
        "z output->input\ufffd",
        "input\ufffd->output′"
      ])
    })
  )

  it.effect("names blocks that do not fit", () =>
    Effect.gen(function* () {
      const inputs: number = 4
      const error = yield* Effect.flip(Diagram.svg(sequence(linear(2, 3), linear(inputs, 1))))
      assert.match(error.message, /in block 1: expected .*, but .* came/)
    })
  )
})
