/**
 * The contract of every kind of block on every engine: the promised shape, its gradient, relaxed training that lowers the free run's loss and
 * ends with a smaller gap than at the start, an exported model that gives the same answers, a bit-exact resume, and the engine's own precision.
 */
import { describe, expect, it, layer } from "@effect/vitest"
import {
  Circuit,
  CircuitSpec,
  Cut,
  Dataset,
  Engine,
  Footprint,
  FreeRun,
  Gradient,
  NdArray,
  Phase,
  type PhaseRun,
  PlanSpec,
  ReferenceEngine,
  Score,
  TfjsEngine,
  Training
} from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect, type Layer, Stream } from "effect"
import { Law } from "../src/index.ts"
import * as CircuitCases from "./CircuitCases.ts"
import * as Exported from "./Exported.ts"

const { linear, sequence, tanh, unflatten } = Circuit

/** A circuit from two columns to a logit, with the block between two linear maps. */
const hidden = (block: Circuit.Circuit, from = 6, to = from) =>
  sequence(linear(2, from), block, linear(to, 6), tanh, linear(6, 1))

const onImages = (block: Circuit.Circuit, to: number) =>
  hidden(sequence(unflatten({ channels: 2, height: 4, width: 4 }), block, Circuit.flatten), 32, to)

const onSignals = (block: Circuit.Circuit, to: number) =>
  hidden(sequence(unflatten({ channels: 2, length: 6 }), block, Circuit.flatten), 12, to)

const small = unflatten({ channels: 8, height: 2, width: 2 })

/** A circuit for each kind of block, combinators included. */
const circuits: Readonly<Record<string, Circuit.Circuit>> = {
  ...Object.fromEntries(Object.entries(Circuit.activations).map(([name, f]) => [name, hidden(f)])),
  linear: hidden(linear(6, 6)),
  "linear, at each of several places": sequence(
    linear(2, 8),
    unflatten({ channels: 2, length: 4 }),
    Circuit.repeat(sequence(tanh, linear(4, 4)), 2),
    Circuit.flatten,
    linear(8, 1)
  ),
  "linear without bias": hidden(linear(6, 6, { bias: false })),
  "conv2d without bias": onImages(Circuit.conv2d({ channels: 2, filters: 2, kernel: 3, padding: 1, bias: false }), 32),
  conv1d: onSignals(Circuit.conv1d({ channels: 2, filters: 3, kernel: 3, padding: 1 }), 18),
  conv2d: onImages(Circuit.conv2d({ channels: 2, filters: 2, kernel: 3, stride: 2, padding: 1 }), 8),
  "max-pool1d": onSignals(Circuit.maxPool1d({ kernel: 2 }), 6),
  "max-pool2d": onImages(Circuit.maxPool2d({ kernel: 2 }), 8),
  "average-pool1d": onSignals(Circuit.averagePool1d({ kernel: 3, stride: 1 }), 8),
  "average-pool2d": onImages(Circuit.averagePool2d({ kernel: 2 }), 8),
  "global-max-pool": hidden(sequence(small, Circuit.globalMaxPool), 32, 8),
  "global-average-pool": hidden(sequence(small, Circuit.globalAveragePool), 32, 8),
  unflatten: onImages(tanh, 32),
  flatten: onImages(tanh, 32),
  "layer-norm": hidden(Circuit.layerNorm(6)),
  "batch-norm": hidden(Circuit.batchNorm(6)),
  dropout: hidden(Circuit.dropout(0.1)),
  embedding: sequence(
    Circuit.embedding({ inputs: 2, categories: 4, units: 3 }),
    Circuit.flatten,
    linear(6, 6),
    tanh,
    linear(6, 1)
  ),
  columns: sequence(Circuit.columns({ inputs: 2, first: 0, count: 2 }), linear(2, 6), tanh, linear(6, 1)),
  residual: hidden(Circuit.residual(sequence(tanh, linear(6, 6)))),
  branch: hidden(Circuit.branch(sequence(tanh, linear(6, 4)), Circuit.relu), 6, 10),
  repeat: hidden(Circuit.repeat(sequence(Circuit.batchNorm(6), tanh, Circuit.dropout(0.1), linear(6, 6)), 4)),
  "a stage of one's own": hidden(Circuit.stage("swish", (z) => z.mul(z.sigmoid())))
}

it("knows every kind", () => {
  expect(Object.keys(circuits)).toEqual(expect.arrayContaining([...CircuitSpec.kinds]))
})

describe("is costed before it runs, in each kind of phase", () => {
  const phases = [Phase.relax({ steps: 1 }), Phase.alternate({ steps: 1 }), Phase.backpropagate({ steps: 1 })]
  for (const [kind, circuit] of Object.entries(circuits)) {
    it(kind, () => {
      const subject = { circuit, task: "binary", x: [20, 2], y: [20, 1] } as const
      for (const phase of phases) {
        const { bytes, flops, memory, parameters } = Effect.runSync(Footprint.of(subject, phase))
        const trained = Object.values(Circuit.parameters(circuit)).filter(Circuit.isTrained)
        expect(parameters).toBe(trained.reduce((sum, { shape }) => sum + NdArray.size(shape), 0))
        for (const number of [bytes, flops, memory]) expect(number).toBeGreaterThan(parameters)
      }
    })
  }
})

/** Twenty examples on a grid of integers, so that an embedding accepts them too; class 1 where the columns sum to more than three. */
const data = Dataset.make({
  inputs: {
    shape: [20, 2],
    data: Float64Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? (i >> 1) % 4 : (i >> 3) % 5))
  },
  targets: {
    shape: [20, 1],
    data: Float64Array.from({ length: 20 }, (_, i) => Number((i % 4) + (i >> 2) > 3))
  },
  task: "binary",
  inputNames: ["a", "b"],
  classNames: ["0", "1"]
})

const engines: Readonly<Record<string, Layer.Layer<Engine.Engine, unknown>>> = {
  reference: ReferenceEngine.layer,
  "tfjs-native": TfjsEngine.layerNative,
  "tfjs-wasm": TfjsEngine.layerWasm,
  onnx: OnnxEngine.layer
}

const same = (came: NdArray.NdArray | undefined, expected: NdArray.NdArray, tolerance: number, what: string) =>
  expect(Law.broken(came, expected, expected.shape, tolerance), what).toBeUndefined()

const settings = (circuit: Circuit.Circuit): CircuitCases.Settings => ({
  circuit,
  cut: Cut.paper,
  inputs: 2,
  outputs: 1,
  batch: 4
})

for (const [name, engine] of Object.entries(engines)) {
  const own = name === "reference" ? Float64Array : Float32Array

  layer(engine)(name, (it) => {
    for (const [kind, circuit] of Object.entries(circuits)) {
      it.effect(`${kind}: shapes, gradient, precision`, () =>
        Effect.gen(function* () {
          const free = yield* FreeRun.program(circuit)
          expect(free.outputs.output!.shape).toEqual(["batch", 1])
          const { inputs, program } = CircuitCases.relaxed(kind, settings(circuit))
          const trained = Object.keys(inputs).filter((input) => input !== "x" && input !== "y")
          const derived = yield* Gradient.make({ of: "loss", inputs: trained })(program)
          const came = yield* Engine.run(derived, inputs)
          const expected = yield* Effect.provide(Engine.run(derived, inputs), ReferenceEngine.layer)
          for (const [output, array] of Object.entries(expected)) {
            same(came[output], array, 2e-5, output)
            expect(came[output]!.data, output).toBeInstanceOf(own)
          }
        })
      )

      it.effect(`${kind}: relaxed training lowers loss and gap, in parts as at once, and exports`, () =>
        Effect.gen(function* () {
          const plan = yield* PlanSpec.parse("relax:250:rprop=0.001:lambda=10")
          const started = { plan, seed: 3 }
          const all = yield* Stream.runCollect(Training.stream(circuit, yield* data, started))
          const measured = all.flatMap((event) =>
            event._tag === "Step" && event.measurement ? [event.measurement] : []
          )
          const gaps = measured.map(({ relaxationGap }) => Math.abs(relaxationGap!))
          const end = all.at(-1)!
          if (end._tag !== "Finished") return expect.fail("the last event is the end")
          expect(end.measurement.freeRunLoss).toBeLessThan(measured[0]!.freeRunLoss)
          expect(gaps.at(-1)!).toBeLessThan(0.1 * Math.max(...gaps))
          for (const array of Object.values(end.trained.parameters)) expect(array.data).toBeInstanceOf(own)

          const kept: Array<PhaseRun.Snapshot> = []
          const onSnapshot = (snapshot: PhaseRun.Snapshot) => Effect.sync(() => void kept.push(snapshot))
          yield* Stream.runDrain(Stream.take(Training.stream(circuit, yield* data, { ...started, onSnapshot }), 25))
          const from = kept.at(-1)!
          expect(from.progress.step).toBeLessThan(250)
          const resumed = yield* Training.fit(circuit, yield* data, { ...started, from })
          expect(resumed.parameters).toEqual(end.trained.parameters)

          const { inputs: x } = yield* data
          const program = yield* FreeRun.program(circuit)
          const { output } = yield* Exported.run(program, { x }, end.trained.parameters)
          same(output, yield* Score.predict(end.trained, x), 1e-5, "the model's output")
        })
      )
    }
  })
}
