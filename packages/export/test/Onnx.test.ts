import { access, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it, layer } from "@effect/vitest"
import {
  Circuit,
  Encoding,
  Engine,
  FreeRun,
  NdArray,
  Preprocessing,
  Pseudorandom,
  ReferenceEngine,
  TfjsEngine
} from "@rai/core"
import { Effect, Schema } from "effect"
import * as Agreement from "../src/Agreement.ts"
import * as Metadata from "../src/Metadata.ts"
import * as Model from "../src/Model.ts"
import * as Onnx from "../src/Onnx.ts"
import * as Onnxruntime from "../src/Onnxruntime.ts"
import * as Parity from "../src/Parity.ts"
import * as Predict from "../src/Predict.ts"
import * as Verify from "../src/Verify.ts"
import * as Folder from "./Folder.ts"
import { off } from "./Off.ts"
import * as Trained from "./Trained.ts"

const points = (rows: number, columns: number, seed = 1) => {
  const { uniform } = Pseudorandom.make(seed)
  return NdArray.make(
    [rows, columns],
    Array.from({ length: rows * columns }, () => uniform(-3, 3))
  )
}

/** Returns the largest |a − b| / (1 + |b|) between the exported model and the engine's free run. */
const difference = (trained: ReturnType<typeof Trained.make>, name: string, x: NdArray.NdArray) =>
  Effect.gen(function* () {
    const came = (yield* Onnxruntime.run(yield* Onnx.make(trained), { x }))[name]!
    const program = yield* FreeRun.program(trained.circuit)
    const { data, shape } = (yield* Engine.run(program, { ...trained.parameters, x })).output!
    assert.deepStrictEqual(came.shape, shape)
    return Math.max(...Array.from(data, (b, i) => Math.abs(came.data[i]! - b) / (1 + Math.abs(b))))
  })

const Random = Schema.Struct({
  hidden: Schema.Array(Schema.Literals([1, 2, 3, 7, 16])).check(Schema.isMaxLength(6)),
  outputs: Schema.Literals([1, 3]),
  activation: Schema.Literals(Object.keys(Circuit.activations) as ReadonlyArray<Circuit.Activation>),
  residual: Schema.Boolean,
  seed: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 })),
  batch: Schema.Literals([1, 2, 17])
})

for (const [name, engine] of [
  ["the reference engine, float64", ReferenceEngine.layer],
  ["TensorFlow.js", TfjsEngine.layer]
] as const) {
  layer(engine)(`onnxruntime beside ${name}`, (it) => {
    it.effect.prop(
      "random circuits answer alike",
      [Random],
      ([{ activation, batch, hidden, outputs, residual, seed }]) =>
        Effect.gen(function* () {
          const task = outputs === 1 ? "binary" : "classes"
          const trained = Trained.make([2, ...hidden, outputs], { activation, residual, seed, task })
          assert.isAtMost(yield* difference(trained, "logit", points(batch, 2, seed)), 1e-5)
        }),
      { timeout: 60_000, arbitrary: { runs: 120 } }
    )

    for (const activation of ["sigmoid", "tanh", "relu"] as const) {
      it.effect(`2,100x100,1 with ${activation} answers alike`, () =>
        Effect.gen(function* () {
          const gain = { sigmoid: 4, tanh: 1, relu: Math.SQRT2 }[activation]
          const trained = Trained.make([2, ...Array<number>(100).fill(100), 1], { activation, gain })
          assert.isAtMost(yield* difference(trained, "logit", points(16, 2)), 1e-5)
        })
      )
    }

    for (const activation of Object.keys(Circuit.activations) as ReadonlyArray<Circuit.Activation>) {
      it.effect(`2,16x6,1 with ${activation} answers alike, residual or not`, () =>
        Effect.gen(function* () {
          for (const residual of [false, true]) {
            const trained = Trained.make([2, ...Array<number>(6).fill(16), 1], { activation, residual })
            assert.isAtMost(yield* difference(trained, "logit", points(64, 2)), 1e-5)
          }
        })
      )
    }

    it.effect("images, convolved, pooled and normalised, answer alike in batches of any length", () =>
      Effect.gen(function* () {
        const circuit = Circuit.sequence(
          Circuit.unflatten({ channels: 1, height: 8, width: 8 }),
          Circuit.conv2d({ channels: 1, filters: 4, kernel: 3, padding: 1 }),
          Circuit.relu,
          Circuit.maxPool2d({ kernel: 2 }),
          Circuit.conv2d({ channels: 4, filters: 6, kernel: 3, stride: 2, padding: 1 }),
          Circuit.softsign,
          Circuit.averagePool2d({ kernel: 2, stride: 1 }),
          Circuit.flatten,
          Circuit.layerNorm(6),
          Circuit.linear(6, 3),
          Circuit.softmax
        )
        const trained = Trained.of(circuit, { task: "classes" })
        for (const batch of [1, 2, 17]) {
          assert.isAtMost(yield* difference(trained, "logit", points(batch, 64, batch)), 1e-5)
        }
      })
    )

    it.effect("of every operator set from 17 to 24 it answers alike, with activations from within", () =>
      Effect.gen(function* () {
        const circuit = Circuit.sequence(
          Circuit.unflatten({ channels: 1, height: 4, width: 4 }),
          Circuit.branch(
            Circuit.conv2d({ channels: 1, filters: 2, kernel: 3, padding: 1 }),
            Circuit.conv2d({ channels: 1, filters: 1, kernel: 1 })
          ),
          Circuit.batchNorm(3),
          Circuit.gelu,
          Circuit.globalMaxPool,
          Circuit.repeat(
            Circuit.residual(Circuit.sequence(Circuit.layerNorm(3), Circuit.elu, Circuit.linear(3, 3))),
            2
          ),
          Circuit.dropout(0.5),
          Circuit.linear(3, 3)
        )
        const made = Trained.of(circuit, { task: "classes" })
        const parameters = { ...made.parameters, "2.variance": NdArray.make([3], [0.5, 1, 2]) }
        const trained = { ...made, parameters }
        const x = points(7, 16)
        const free = yield* Effect.flatMap(FreeRun.program(circuit), (program) =>
          Engine.run(program, { ...trained.parameters, x })
        )
        for (const opset of Model.opsets) {
          const bytes = yield* Onnx.make(trained, { opset, expose: "5.*" })
          const model = yield* Model.decode(bytes, "m.onnx")
          assert.strictEqual(Model.opsetOf(model), opset)
          const came = yield* Onnxruntime.run(bytes, { x })
          assert.deepStrictEqual(Object.keys(came), ["logit", "probability", "label", "5.0", "5.1"])
          assert.deepStrictEqual(came["5.1"]!.shape, [7, 3])
          came.logit!.data.forEach((a, i) => {
            const b = free.output!.data[i]!
            assert.isAtMost(Math.abs(a - b) / (1 + Math.abs(b)), 1e-5, `opset ${opset}`)
          })
        }
      })
    )

    it.effect("2,100x100,1 of residual blocks answers alike", () =>
      Effect.gen(function* () {
        const widths = [2, ...Array<number>(100).fill(100), 1]
        const trained = Trained.make(widths, { activation: "tanh", gain: 0.2, residual: true })
        assert.isAtMost(yield* difference(trained, "logit", points(16, 2)), 1e-5)
      })
    )

    it.effect("writes a model with a record that proves parity, and nothing else", () =>
      Effect.gen(function* () {
        const folder = yield* Folder.make
        const record = yield* Onnx.write(Trained.make([2, 8, 8, 8, 1]), join(folder, "m.onnx"), {
          samples: points(200, 2)
        })
        assert.deepStrictEqual(yield* Effect.promise(() => readdir(folder)), ["m.onnx", "m.parity.json"])
        assert.strictEqual(record.examples, 160 + 9)
        assert.deepInclude(record.compared, { training: 200, random: 808 + 96, notFinite: 9 })
        assert.isAtMost(record.maxRelativeDifference, 1e-5)
        assert.strictEqual(record.engine, yield* Engine.Engine.use(({ name }) => Effect.succeed(name)))
      })
    )
  })
}

describe("Onnx.make", () => {
  const deep = Trained.make([2, ...Array<number>(100).fill(100), 1])

  it.effect("gives the same bytes for the same circuit, other bytes for other parameters", () =>
    Effect.gen(function* () {
      const again = Trained.make([2, ...Array<number>(100).fill(100), 1])
      const other = Trained.make([2, ...Array<number>(100).fill(100), 1], { seed: 1 })
      assert.deepStrictEqual(yield* Onnx.make(deep), yield* Onnx.make(again))
      assert.notDeepEqual(yield* Onnx.make(deep), yield* Onnx.make(other))
    })
  )

  it.effect("a repeated block's weights become one initialiser a turn, bit for bit, and each turn two operators", () =>
    Effect.gen(function* () {
      const graph = (yield* Model.decode(yield* Onnx.make(deep), "deep.onnx")).graph!
      const weight = graph.initializer.find(({ name }) => name === "1.17.1.weight")!
      const stacked = deep.parameters["1.*.1.weight"]!.data.slice(170000, 180000)
      assert.deepStrictEqual(weight.dims, [100n, 100n])
      assert.deepStrictEqual(new Uint8Array(weight.rawData), new Uint8Array(stacked.buffer))
      assert.strictEqual(graph.initializer.length, 202 + 1)
      const operators = graph.node.map(({ opType }) => opType)
      assert.strictEqual(operators.filter((operator) => operator === "Gemm").length, 101)
      assert.strictEqual(operators.length, 101 + 100 + 3)
      assert.strictEqual(graph.node[36]!.name, "1.17.1.add")
    })
  )

  it.effect("keeps the batch a name, and the origin in the metadata", () =>
    Effect.gen(function* () {
      const model = yield* Model.decode(yield* Onnx.make(Trained.make([3, 4, 2], { task: "classes" })), "m.onnx")
      assert.deepStrictEqual(Model.inputs(model), [{ name: "x", shape: ["batch", 3] }])
      assert.deepStrictEqual(
        model.graph?.output.map(({ name }) => name),
        ["logit", "probability", "label"]
      )
      assert.strictEqual(
        `${model.producerName} ${model.producerVersion} ${model.irVersion} ${Model.opsetOf(model)}`,
        "rai 0.1.0 10 21"
      )
      assert.deepStrictEqual(
        model.metadataProps.map(({ key, value }) => [key, value.length === 64 ? "…" : value]),
        [
          ["rai.version", "0.1.0"],
          ["rai.parameters", "…"],
          ["rai.circuit", "linear 3→4, sigmoid, linear 4→2"],
          ["rai.plan", "backpropagate:1:rprop=0.001"],
          ["rai.seed", "0"],
          ["rai.engine", "reference"],
          ["rai.task", "classes"],
          ["rai.inputs", '["x1","x2","x3"]'],
          ["rai.classes", '["class 0","class 1"]']
        ]
      )
    })
  )

  it.effect("keeps what makes its inputs of raw columns", () =>
    Effect.gen(function* () {
      const preprocessing: Preprocessing.Preprocessing = {
        columns: [
          { _tag: "Number", name: "height", mean: 1 / 3, scale: 0.1 + 0.2, fill: 1 / 3 },
          { _tag: "Category", name: "colour, «mine»", categories: ["red", 'blue "dark"'] }
        ],
        unseen: "zeros"
      }
      const plain = Trained.make([3, 1])
      const model = yield* Model.decode(yield* Onnx.make({ ...plain, preprocessing }), "m.onnx")
      assert.deepStrictEqual(Metadata.read(model)?.preprocessing, preprocessing)
      assert.isFalse("preprocessing" in Metadata.read(yield* Model.decode(yield* Onnx.make(plain), "m.onnx"))!)
    })
  )

  it.effect(
    "binary: probability = 1 / (1 + e^−logit); classes: e^o / Σ e^o, also for logits beyond e's range; regression: value",
    () =>
      Effect.gen(function* () {
        const x = points(9, 2)
        const binary = yield* Onnxruntime.run(yield* Onnx.make(Trained.make([2, 5, 1])), { x })
        binary.logit!.data.forEach((o, i) => {
          assert.closeTo(binary.probability!.data[i]!, 1 / (1 + Math.exp(-o)), 1e-6)
          assert.strictEqual(binary.label!.data[i], Number(o > 0))
        })
        for (const gain of [1, 300]) {
          const bytes = yield* Onnx.make(Trained.make([2, 5, 3], { task: "classes", gain, activation: "relu" }))
          const { label, logit, probability } = yield* Onnxruntime.run(bytes, { x })
          assert.deepStrictEqual(probability!.shape, [9, 3])
          assert.deepStrictEqual(label!.shape, [9, 1])
          for (let row = 0; row < 9; row++) {
            const o = Array.from(logit!.data.slice(3 * row, 3 * row + 3))
            const total = o.reduce((sum, other) => sum + Math.exp(other - Math.max(...o)), 0)
            assert.strictEqual(label!.data[row], o.indexOf(Math.max(...o)))
            o.forEach((own, k) => {
              assert.closeTo(probability!.data[3 * row + k]!, Math.exp(own - Math.max(...o)) / total, 1e-6)
            })
          }
        }
        const regression = yield* Onnxruntime.run(yield* Onnx.make(Trained.make([2, 5, 4], { task: "regression" })), {
          x
        })
        assert.deepStrictEqual(Object.keys(regression), ["value"])
        assert.deepStrictEqual(regression.value!.shape, [9, 4])
      })
  )
})

it.effect("what a model gives first is what the circuit answers, whatever else is asked of it", () =>
  Effect.gen(function* () {
    const model = yield* Model.decode(yield* Onnx.make(Trained.make([2, 3, 1]), { expose: "*" }), "m.onnx")
    const names = model.graph!.output.map(({ name }) => name)
    assert.deepStrictEqual(names, ["logit", "probability", "label", "0", "1", "2"])
  })
)

describe("what cannot be asked of a model", () => {
  const small = Trained.make([2, 3, 3, 3, 1])

  it.effect("is an operator set that is not there, or a path", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* Effect.flip(Onnx.make(small, { opset: 16 }))).message,
        "expected an operator set from 17 to 24, but 16 came; leave it out for 21"
      )
      assert.strictEqual(
        (yield* Effect.flip(Onnx.make(small, { expose: "hidden" }))).message,
        "expected the paths of activations, 0, 1.0.0, 1.0.1, 1.1.0, 1.1.1, … 3, with * for any one step, but hidden matches none of them"
      )
    })
  )
})

describe("Onnx.write", () => {
  it.effect("where parity is lost it fails with one line and leaves the earlier files as they were", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const file = join(folder, "chaos.onnx")
      yield* Effect.promise(() => writeFile(file, "earlier"))
      const error = yield* Effect.flip(
        off(Effect.provide(Onnx.write(Trained.make([2, 8, 1]), file), ReferenceEngine.layer))
      )
      assert.strictEqual(error._tag, "ParityLost")
      assert.match(
        error.message,
        /chaos\.onnx: expected onnxruntime to answer as the free run does, \|a − b\| ≤ 0\.0000\d+ \(1 \+ \|b\|\), but for sample \d+ the output «logit» is [-.\de]+ where the free run gives [-.\de]+; do not use/
      )
      assert.deepStrictEqual(yield* Effect.promise(() => readdir(folder)), ["chaos.onnx"])
      assert.strictEqual(yield* Effect.promise(() => readFile(file, "utf8")), "earlier")
    })
  )

  it.effect("of an engine of float64 a model is held to what float32 leaves open", () =>
    Effect.gen(function* () {
      const file = join(yield* Folder.make, "deep.onnx")
      // A deep tanh circuit with large weights enlarges rounding.
      const deep = Trained.make([2, ...Array<number>(20).fill(30), 1], { activation: "tanh", gain: 3 })
      const { maxRelativeDifference, tolerance } = yield* Effect.provide(Onnx.write(deep, file), ReferenceEngine.layer)
      assert.isAbove(maxRelativeDifference, Agreement.least)
      assert.isBelow(maxRelativeDifference, tolerance)
      assert.isBelow(tolerance, 1e-2)
    })
  )

  it.effect(
    "where the circuit is steeper than at the recorded examples, the record says what float32 leaves open there",
    () =>
      Effect.gen(function* () {
        const file = join(yield* Folder.make, "deep.onnx")
        let steeper = 0
        for (const seed of [0, 1, 2, 3]) {
          const deep = Trained.make([2, ...Array<number>(20).fill(30), 1], { activation: "tanh", gain: 3, seed })
          const { compared, tolerance } = yield* Effect.provide(Onnx.write(deep, file), TfjsEngine.layerWasm)
          const own = compared!.tolerance
          assert.isAtMost(compared!.maxRelativeDifference, own ?? tolerance)
          if (own === undefined) continue
          assert.isAbove(own, tolerance)
          steeper++
        }
        assert.isAbove(steeper, 0)
      })
  )

  it.effect("a circuit that answers NaN to everything is refused, though both sides would agree", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const trained = Trained.make([2, 3, 1])
      const parameters = { ...trained.parameters, "0.bias": NdArray.full([3], Number.NaN) }
      const lost = yield* Effect.flip(Onnx.write({ ...trained, parameters }, join(folder, "m.onnx"))).pipe(
        Effect.provide(ReferenceEngine.layer)
      )
      assert.match(
        lost.message,
        /m\.onnx: expected a circuit that answers with numbers, but its output «logit» is not finite/
      )
      assert.isEmpty(yield* Effect.promise(() => readdir(folder)))
    })
  )

  it.effect("of two exports to one file at once, one stands there whole", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const file = join(folder, "ünï code.onnx")
      const both = [1, 2].map((seed) => Trained.make([2, 8, 8, 3], { task: "classes", seed }))
      for (let round = 0; round < 5; round++) {
        const writes = both.map((trained) => Effect.provide(Onnx.write(trained, file), ReferenceEngine.layer))
        yield* Effect.all(writes, { concurrency: 2 })
        yield* Verify.verify(file)
      }
      assert.deepStrictEqual(
        (yield* Effect.promise(() => readdir(folder))).sort(),
        ["ünï code.onnx", "ünï code.parity.json"].sort()
      )
    })
  )

  it.effect("a folder that is not there, or in the model's place, is one clear line", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const write = (file: string) =>
        Effect.flip(Effect.provide(Onnx.write(Trained.make([2, 3, 1]), file), ReferenceEngine.layer))
      const missing = yield* write(join(folder, "no", "m.onnx"))
      assert.match(
        missing.message,
        /m\.onnx: expected to write this file, but its folder is not there; choose a folder/
      )
      const taken = yield* write(folder)
      assert.match(taken.message, /: expected to write this file, but a folder stands there; choose a folder/)
      assert.isEmpty(yield* Effect.promise(() => readdir(folder)))
      const part = yield* Effect.exit(Effect.tryPromise(() => access(`${folder}.part`)))
      assert.strictEqual(part._tag, "Failure")
    })
  )
})

describe("what is compared", () => {
  for (const [name, engine] of [
    ["the reference engine", ReferenceEngine.layer],
    ["TensorFlow.js", TfjsEngine.layer]
  ] as const) {
    it.effect(`includes NaN and infinities for every activation function, on ${name}`, () =>
      Effect.gen(function* () {
        const folder = yield* Folder.make
        for (const activation of Object.keys(Circuit.activations) as ReadonlyArray<Circuit.Activation>) {
          const bare = Trained.of(Circuit.sequence(Circuit.activations[activation], Circuit.linear(1, 2)), {
            task: "classes"
          })
          for (const trained of [bare, Trained.make([3, 16, 16, 2], { activation, task: "classes" })]) {
            const record = yield* Effect.provide(Onnx.write(trained, join(folder, "m.onnx")), engine)
            const { freeRun, onnxruntime } = record.outputs.logit!
            assert.deepStrictEqual(
              onnxruntime.slice(96).map((row) => row.map((y) => (Number.isFinite(y) ? "finite" : y))),
              freeRun.slice(96).map((row) => row.map((y) => (Number.isFinite(y) ? "finite" : y)))
            )
            assert.include(record.inputs.x!.flat(), "NaN")
            assert.include(record.inputs.x!.flat(), "-Infinity")
            assert.deepStrictEqual(freeRun[96], ["NaN", "NaN"])
          }
        }
      })
    )
  }

  it.effect("includes them for images, pooled and normalised, and for categories as vectors", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const images = Circuit.sequence(
        Circuit.unflatten({ channels: 1, height: 4, width: 4 }),
        Circuit.conv2d({ channels: 1, filters: 2, kernel: 3, padding: 1 }),
        Circuit.maxPool2d({ kernel: 2 }),
        Circuit.flatten,
        Circuit.layerNorm(8),
        Circuit.linear(8, 3)
      )
      const words = Circuit.sequence(
        Circuit.embedding({ inputs: 2, categories: 3, units: 4 }),
        Circuit.flatten,
        Circuit.linear(8, 3)
      )
      for (const circuit of [images, words]) {
        const trained = Trained.of(circuit, { task: "classes" })
        const record = yield* Effect.provide(Onnx.write(trained, join(folder, "m.onnx")), TfjsEngine.layer)
        assert.strictEqual(record.compared?.notFinite, 3 * (Math.min(8, Circuit.inputs(circuit)) + 1))
      }
    })
  )

  it.effect(
    "includes raw columns where the circuit was trained on preprocessed ones, and they mean what encode makes of them",
    () =>
      Effect.gen(function* () {
        const folder = yield* Folder.make
        const file = join(folder, "table.onnx")
        const { uniform } = Pseudorandom.make(5)
        const cells = NdArray.make(
          [400, 3],
          Array.from({ length: 400 }, (_, i) => [
            i % 7 === 0 ? Number.NaN : uniform(1990, 2020),
            i % 3,
            uniform(0, 1)
          ]).flat()
        )
        const columns = [{ name: "year" }, { name: "colour", texts: ["red", "green", "blue"] }, { name: "share" }]
        const raw = { source: "table", columns, cells }
        for (const unseen of ["error", "zeros"] as const) {
          const preprocessing = yield* Preprocessing.fit(raw, { missing: "median", standardise: true, unseen })
          const trained = { ...Trained.make([5, 8, 3], { task: "classes" }), preprocessing }
          const samples = yield* Encoding.raw(preprocessing, raw)
          const record = yield* Effect.provide(Onnx.write(trained, file, { samples }), TfjsEngine.layer)
          assert.deepInclude(record.compared, { training: 400, random: 608 + 96, notFinite: 12 })
          // A category that is none is seen to be none.
          const last = record.outputs.logit!.onnxruntime.at(-1)!
          assert.deepStrictEqual(last[0], "NaN")

          const { outputs } = yield* Predict.predict(file, samples)
          const x = yield* Preprocessing.encode(preprocessing, raw)
          const free = yield* Effect.flatMap(FreeRun.program(trained.circuit), (program) =>
            Engine.run(program, { ...trained.parameters, x })
          ).pipe(Effect.provide(ReferenceEngine.layer))
          free.output!.data.forEach((b, i) => {
            assert.closeTo(outputs.logit!.data[i]!, b, 1e-5)
          })

          const model = yield* Model.decode(yield* Effect.promise(() => readFile(file)), file)
          assert.deepStrictEqual(Model.inputs(model), [{ name: "x", shape: ["batch", 3] }])
          assert.deepStrictEqual(Metadata.read(model)?.columns, ["year", "colour", "share"])
          const said = model.graph!.node.find(({ name }) => name.startsWith("preprocessing."))!.docString
          assert.strictEqual(
            said,
            "preprocessing: year; colour: 0 blue, 1 green, 2 red; share; NaN where a value is missing"
          )
          yield* Verify.verify(file)
          const onEngine = yield* Effect.provide(Predict.onEngine(file, samples), TfjsEngine.layer)
          onEngine.outputs.logit!.data.forEach((b, i) => {
            assert.closeTo(outputs.logit!.data[i]!, b, 1e-5)
          })
        }
      })
  )

  it.effect("says how far a GPU's answers are, where there is one, and fails for none", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const own = Onnxruntime.Onnxruntime.defaultValue()
      // A GPU that is off by a thousandth of a logit at one example.
      const openOnCuda: Onnxruntime.Open = (bytes, name) =>
        Effect.map(
          own.open(bytes, name),
          ({ run }): Onnxruntime.Session => ({
            run: (inputs) =>
              Effect.map(run(inputs), (outputs) => {
                const at = Array.from(inputs.x!.data).indexOf(2.5)
                if (at >= 0) outputs.logit!.data[at / 2]! += 0.001
                return outputs
              })
          })
        )
      const samples = points(2000, 2)
      samples.data[2 * 1501] = 2.5
      const write = (runtime: typeof Onnxruntime.Onnxruntime.Service) =>
        Onnx.write(Trained.make([2, 8, 1]), join(folder, "m.onnx"), { samples }).pipe(
          Effect.provide(ReferenceEngine.layer),
          Effect.provideService(Onnxruntime.Onnxruntime, runtime)
        )
      const record = yield* write({ ...own, openOnCuda })
      assert.closeTo(record.cuda!.maxAbsDifference, 0.001, 1e-5)
      assert.isBelow(record.maxAbsDifference, 1e-5)
      assert.isUndefined((yield* write({ ...own, openOnCuda: undefined })).cuda)
    })
  )

  it.effect("is every training example, also those that the record leaves out", () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const file = join(folder, "m.onnx")
      // A runtime that is wrong at one example alone, which is not among the 64 that the record keeps.
      const trained = Trained.make([2, 8, 1])
      const wrong: typeof Onnxruntime.Onnxruntime.Service = {
        version: Effect.succeed("0"),
        open: (bytes, name) =>
          Effect.map(
            Onnxruntime.Onnxruntime.defaultValue().open(bytes, name),
            ({ run }): Onnxruntime.Session => ({
              run: (inputs) =>
                Effect.map(run(inputs), (outputs) => {
                  const at = Array.from(inputs.x!.data).indexOf(2.5)
                  if (at >= 0) outputs.logit!.data[at / 2] = 9
                  return outputs
                })
            })
          )
      }
      const samples = points(2000, 2)
      samples.data[2 * 1501] = 2.5
      const lost = yield* Onnx.write(trained, file, { samples }).pipe(
        Effect.provide(ReferenceEngine.layer),
        Effect.provideService(Onnxruntime.Onnxruntime, wrong),
        Effect.flip
      )
      assert.match(lost.message, /for sample 1501 the output «logit» is 9 where/)
      assert.isEmpty(yield* Effect.promise(() => readdir(folder)))
    })
  )
})

describe("Parity", () => {
  it.effect("the record is read as it was written; what JSON has no number for goes as text", () =>
    Effect.gen(function* () {
      const rows = Parity.toRows(NdArray.make([2, 2], [Number.NaN, Number.NEGATIVE_INFINITY, 0.1, 16777217]))
      assert.deepStrictEqual(rows, [
        ["NaN", "-Infinity"],
        [0.1, 16777216]
      ])
      assert.deepStrictEqual(
        Parity.fromRows(rows).data,
        Float32Array.of(Number.NaN, Number.NEGATIVE_INFINITY, 0.1, 16777216)
      )
      const record = new Parity.ParityRecord({
        format: "rai parity 1",
        model: "m.onnx",
        sha256: "0",
        parameters: "0",
        opset: 21,
        engine: "reference",
        versions: { rai: "0", onnxruntime: "0", node: "0" },
        rounding: 0,
        tolerance: 1e-5,
        examples: 2,
        maxAbsDifference: 0,
        maxRelativeDifference: 0,
        inputs: { x: rows },
        outputs: { value: { freeRun: rows, onnxruntime: rows } }
      })
      const text = Parity.print(record)
      assert.include(text, '["NaN", "-Infinity"],\n')
      assert.deepStrictEqual(yield* Parity.parse(text, "m.parity.json"), record)
    })
  )

  it.effect("NaN equals NaN, infinities by sign", () =>
    Effect.gen(function* () {
      const compare = (a: Parity.ParityRecord["inputs"][string], b: typeof a) =>
        Agreement.compare("m.onnx", 1e-5, { y: { freeRun: b, onnxruntime: a } })
      const same = yield* compare([["NaN", "Infinity"]], [["NaN", "Infinity"]])
      assert.deepStrictEqual(same, { maxAbsDifference: 0, maxRelativeDifference: 0 })
      const near = yield* compare([[3.00001]], [[3]])
      assert.closeTo(near.maxRelativeDifference, 2.5e-6, 1e-12)
      for (const [a, b] of [
        ["NaN", 1],
        [1, "NaN"],
        ["Infinity", "-Infinity"],
        [1e30, "Infinity"],
        [1.001, 1]
      ] as const) {
        const lost = yield* Effect.flip(compare([[0], [a]], [[0], [b]]))
        assert.strictEqual(lost.sample, 1)
      }
    })
  )
})
