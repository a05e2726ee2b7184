/**
 * An exported model depends on the circuit and its parameters alone: its bytes are the same whichever engine verified it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Circuit, CircuitSpec, NdArray, Pseudorandom, ReferenceEngine, TfjsEngine, type Trained } from "@rai/core"
import { Onnx } from "@rai/export"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect } from "effect"

/** `tfjs` runs on TensorFlow's native library where that is installed. */
const engines = {
  onnx: OnnxEngine.layer,
  reference: ReferenceEngine.layer,
  "tfjs-wasm": TfjsEngine.layerWasm,
  tfjs: TfjsEngine.layer
}

/** Sixteen numbers, used as an image and as a signal, followed by two categories. */
const inputs = 18

const activations = Object.keys(Circuit.activations) as ReadonlyArray<Circuit.Activation>

const everything = Circuit.sequence(
  Circuit.branch(
    Circuit.sequence(
      Circuit.columns({ inputs, first: 0, count: 16 }),
      Circuit.unflatten({ channels: 1, height: 4, width: 4 }),
      Circuit.conv2d({ channels: 1, filters: 8, kernel: 3, padding: 1 }),
      Circuit.batchNorm(8),
      Circuit.branch(
        Circuit.sequence(Circuit.maxPool2d({ kernel: 2 }), Circuit.globalMaxPool),
        Circuit.sequence(Circuit.averagePool2d({ kernel: 2 }), Circuit.globalAveragePool)
      )
    ),
    Circuit.sequence(
      Circuit.columns({ inputs, first: 0, count: 16 }),
      Circuit.unflatten({ channels: 2, length: 8 }),
      Circuit.conv1d({ channels: 2, filters: 4, kernel: 3, padding: 1 }),
      Circuit.maxPool1d({ kernel: 2 }),
      Circuit.averagePool1d({ kernel: 2 }),
      Circuit.flatten
    ),
    Circuit.sequence(
      Circuit.columns({ inputs, first: 16, count: 2 }),
      Circuit.embedding({ inputs: 2, categories: 5, units: 4 }),
      Circuit.flatten
    )
  ),
  Circuit.layerNorm(32),
  Circuit.dropout(0.5),
  Circuit.repeat(Circuit.residual(Circuit.sequence(Circuit.linear(32, 32), Circuit.tanh)), 3),
  ...activations.map((name) => Circuit.activations[name]),
  Circuit.linear(32, 3)
)

const trained = (seed: number): Trained.Trained => {
  const { uniform } = Pseudorandom.make(seed)
  const parameters = Object.entries(Circuit.parameters(everything)).map(([name, { fanIn, role, shape }]) => {
    const draw = () => (role === "statistic" ? uniform(0.5, 2) : uniform(-1, 1) * Math.sqrt(3 / fanIn))
    return [name, NdArray.make(shape, Array.from({ length: NdArray.size(shape) }, draw))] as const
  })
  return {
    circuit: everything,
    parameters: Object.fromEntries(parameters),
    task: "classes",
    inputNames: Array.from({ length: inputs }, (_, i) => `x${i}`),
    classNames: ["ant", "bee", "cat"],
    origin: { plan: "backpropagate:1:rprop=0.001", seed, engine: "reference", version: "0.1.0" }
  }
}

const asked: Readonly<Record<string, Onnx.Files>> = {
  "as it is": {},
  "with activations from within": { expose: "3.*", opset: 17 },
  "with weights beside": { externalData: true },
  "in float16": { weights: "float16" },
  "in int8": { weights: "int8" }
}

describe("a circuit of every kind of block", () => {
  it("is one", () => {
    const kinds = new Set(Circuit.sites(everything).map(({ block }) => block.kind))
    const missing = CircuitSpec.kinds.filter((kind) => !kinds.has(kind))
    assert.deepStrictEqual(missing, [])
  })

  for (const [how, options] of Object.entries(asked)) {
    it.effect(`${how} is the same bytes from ${Object.keys(engines).join(", ")}, and again`, () =>
      Effect.gen(function* () {
        const folder = mkdtempSync(join(tmpdir(), "rai same "))
        const of = (name: string) => readFileSync(join(folder, name)).toString("base64")
        const written = Effect.fnUntraced(function* (seed: number) {
          yield* Onnx.write(trained(seed), join(folder, "m.onnx"), options)
          const files = readdirSync(folder).filter((name) => !name.endsWith(".json"))
          return files.map((name) => `${name} ${of(name)}`)
        })
        const first = yield* Effect.provide(written(1), ReferenceEngine.layer)
        for (const [engine, layer] of Object.entries({ ...engines, again: ReferenceEngine.layer })) {
          assert.isTrue(first.join() === (yield* Effect.provide(written(1), layer)).join(), engine)
        }
        // Other parameters are other bytes, in each file.
        const other = yield* Effect.provide(written(2), ReferenceEngine.layer)
        rmSync(folder, { recursive: true })
        for (const [i, file] of other.entries()) assert.isFalse(file === first[i])
      })
    )
  }
})
