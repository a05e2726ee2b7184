import { describe, expect, it } from "@effect/vitest"
import { Circuit, Engine, FreeRun, Gradient, type Program, ReferenceEngine, Shape, TfjsEngine } from "@rai/core"
import { Activations } from "@rai/export"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect, Schema } from "effect"
import { type Case, Conformance, Law, RandomTrained } from "../src/index.ts"
import * as CircuitCases from "./CircuitCases.ts"
import * as Exported from "./Exported.ts"
import * as RandomPerceptron from "./RandomPerceptron.ts"

const tolerance = 1e-5
const options = { arbitrary: { runs: 200, seed: 4 }, timeout: 120_000 }

const everyEngine = (of: Case.Case) =>
  Effect.all([
    Conformance.check(of).pipe(Effect.provide(TfjsEngine.layerNative)),
    Conformance.check(of).pipe(Effect.provide(TfjsEngine.layerWasm)),
    Conformance.check(of).pipe(Effect.provide(OnnxEngine.layer))
  ])

describe("every engine agrees with the reference within 1e-5 (1 + |b|) on 200 random perceptrons", () => {
  it.effect.prop(
    "in the free run; the exported model, which holds its parameters, too",
    [RandomPerceptron.schema],
    ([random]) =>
      Effect.gen(function* () {
        const { batch, circuit, seed } = RandomPerceptron.settings(random)
        const program = yield* FreeRun.program(circuit)
        const parameters = RandomPerceptron.parameters(circuit, seed!)
        const x = CircuitCases.examples(batch!, random.inputs, seed!)
        const inputs = { ...parameters, x }
        yield* everyEngine({ name: "free run", program, inputs, smooth: false, tolerance })
        const [expected, exported] = yield* Effect.all([
          Effect.provide(Engine.run(program, inputs), ReferenceEngine.layer),
          Exported.run(program, { x }, parameters)
        ])
        const shape = Shape.resolve(program.outputs.output!.shape, new Map([["batch", batch!]]))
        expect(shape).toEqual([batch, random.outputs])
        expect(Law.broken(exported.output, expected.output!, shape, tolerance)).toBeUndefined()
      }),
    options
  )

  it.effect.prop(
    "in the relaxed objective and all its gradients",
    [RandomPerceptron.schema],
    ([random]) =>
      Effect.gen(function* () {
        const settings = RandomPerceptron.settings(random)
        const of = CircuitCases.relaxed(
          "relaxed step",
          settings,
          RandomPerceptron.parameters(settings.circuit, settings.seed!)
        )
        const trained = Object.keys(of.inputs).filter((name) => name !== "x" && name !== "y")
        const program: Program.Program = yield* Gradient.make({ of: "loss", inputs: trained })(of.program)
        yield* everyEngine({ ...of, program, tolerance })
      }),
    options
  )
})

it.effect.prop(
  "so it does on 60 random circuits over all blocks, from raw columns on",
  [Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e6 }))],
  ([seed]) =>
    Effect.gen(function* () {
      const { trained, x } = RandomTrained.make(seed)
      const { constants, freeRun } = yield* Activations.make(trained)
      const inputs = { ...trained.parameters, ...constants, x }
      yield* everyEngine({ name: Circuit.print(trained.circuit), program: freeRun, inputs, smooth: false, tolerance })
    }),
  { arbitrary: { runs: 60, seed: 4 }, timeout: 120_000 }
)
