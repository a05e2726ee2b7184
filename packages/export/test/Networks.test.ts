/**
 * Networks written by PyTorch, Keras 3, tf2onnx and scikit-learn, compared with onnxruntime's answers to them (`networks/*.py`).
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fromBinary, toBinary } from "@bufbuild/protobuf"
import { expect, it } from "@effect/vitest"
import {
  Circuit,
  CircuitSpec,
  Dataset,
  Engine,
  FreeRun,
  NdArray,
  Plan,
  Pseudorandom,
  TfjsEngine,
  Training
} from "@rai/core"
import { Effect } from "effect"
import { Model, Onnx, Onnxruntime, Verify } from "../src/index.ts"
import { ModelProtoSchema, type TypeProto_Tensor, type ValueInfoProto } from "../src/onnx_pb.ts"
import * as Reading from "../src/read/Reading.ts"
import * as Elsewhere from "./Elsewhere.ts"
import * as Folder from "./Folder.ts"

interface Answers {
  readonly example: ReadonlyArray<number>
  readonly x: ReadonlyArray<number>
  readonly y: ReadonlyArray<number>
  readonly outputs: ReadonlyArray<number>
}

const folder = new URL("networks/", import.meta.url).pathname
const networks: Readonly<Record<string, Answers>> = Object.assign(
  {},
  ...["answers", "keras", "scikit-learn"].map((table) => JSON.parse(readFileSync(`${folder}${table}.json`, "utf8")))
)

const decoded = (file: string) => fromBinary(ModelProtoSchema, new Uint8Array(readFileSync(file)))

/** Operators that pass numbers on or only move them; where two moves are merged into one, it has the name of the last. */
const passing = /^(Cast|Identity|ZipMap|Reshape|Squeeze|Transpose)$/

/** Returns the nodes that compute the output from the examples, apart from their lengths, in the order of the graph. */
const computing = ({ graph }: ReturnType<typeof decoded>, input: string, output: string) => {
  const reached = new Set([input])
  for (const node of graph!.node) {
    if (node.opType !== "Shape" && node.input.some((name) => reached.has(name))) {
      for (const name of node.output) reached.add(name)
    }
  }
  const needed = new Set([output])
  for (const node of graph!.node.toReversed()) {
    if (node.output.some((name) => needed.has(name))) for (const name of node.input) needed.add(name)
  }
  return graph!.node.filter((node) => node.output.some((name) => reached.has(name) && needed.has(name)))
}

/** Returns the operators that consume a value, looking through casts. */
const users = (nodes: ReturnType<typeof computing>, of: string): ReadonlyArray<string> =>
  nodes
    .filter((node) => node.input.includes(of))
    .flatMap((node) => (node.opType === "Cast" ? users(nodes, node.output[0]!) : [node.opType]))

const furthest = (came: NdArray.NdArray, expected: ReadonlyArray<number> | NdArray.NdArray["data"]): number =>
  Array.from(came.data).reduce((worst, a, i) => Math.max(worst, Math.abs(a - expected[i]!)), 0)

const rows = ({ example, x }: Answers): NdArray.NdArray => {
  const width = NdArray.size(example)
  return NdArray.make([x.length / width, width], x)
}

const freeRun = Effect.fnUntraced(function* (circuit: Circuit.Circuit, parameters: Engine.Arrays, x: NdArray.NdArray) {
  const { output } = yield* Engine.run(yield* FreeRun.program(circuit), { ...parameters, x })
  return output!
})

/** Makes a data set of arbitrary targets: the only requirement is that every parameter moves. */
const dataOf = ({ outputs }: Answers, x: NdArray.NdArray) => {
  const [examples, inputs] = x.shape as readonly [number, number]
  const width = NdArray.size(outputs)
  const targets = NdArray.make([examples, width], Pseudorandom.make(1).normals(examples * width))
  const inputNames = Array.from({ length: inputs }, (_, i) => `x${i}`)
  return Dataset.make({ inputs: x, targets, task: "regression", inputNames })
}

it("reads networks by the dozen", () => {
  expect(Object.keys(networks).length).toBeGreaterThanOrEqual(35)
})

it.effect("what of a forest is not read is told operator by operator, all at once", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(Onnx.read(`${folder}refused-forest.onnx`))
    expect(error.message.slice(folder.length)).toBe(
      "refused-forest.onnx: expected operators that are read, but these came: ai.onnx.ml.Binarizer (Binarizer); ai.onnx.ml.TreeEnsembleClassifier (TreeEnsembleClassifier); export the model without them, or run it with onnxruntime"
    )
  })
)

for (const [name, answers] of Object.entries(networks)) {
  it.effect(`${name}: the free run is what onnxruntime answers to the original`, () =>
    Effect.gen(function* () {
      const { circuit, example, parameters } = yield* Onnx.read(`${folder}${name}.onnx`)
      expect(example).toEqual(answers.example)
      const output = yield* freeRun(circuit, parameters, rows(answers))
      expect(output.shape).toEqual([7, NdArray.size(answers.outputs)])
      expect(furthest(output, answers.y)).toBeLessThan(1e-5)
      expect(Circuit.depth(circuit)).toBeGreaterThan(0)
    }).pipe(Effect.provide(TfjsEngine.layerWasm))
  )

  it.effect(`${name}: relaxed for 50 steps and written again, onnxruntime answers as the free run`, () =>
    Effect.gen(function* () {
      const { circuit, parameters: before } = yield* Onnx.read(`${folder}${name}.onnx`)
      const x = rows(answers)
      const settings = { steps: 50, optimizer: Plan.auto(circuit).phases[0]!.optimizer }
      // One map alone has nothing to cut.
      const plan = Circuit.depth(circuit) > 1 ? Plan.relax(settings) : Plan.backpropagate(settings)
      const trained = yield* Training.fit(circuit, yield* dataOf(answers, x), { plan, seed: 0 })
      for (const [parameter, { role }] of Object.entries(Circuit.parameters(circuit))) {
        const moved = furthest(trained.parameters[parameter]!, before[parameter]!.data)
        if (role === "statistic") expect(moved).toBe(0)
        else expect(moved, parameter).toBeGreaterThan(0)
      }
      const output = yield* freeRun(circuit, trained.parameters, x)
      const bytes = yield* Onnx.make(trained)
      const [original, written] = [decoded(`${folder}${name}.onnx`), fromBinary(ModelProtoSchema, bytes)]
      const input = Model.inputs(original)[0]!.name
      const came = yield* Onnxruntime.run(bytes, { [input]: { data: x.data, shape: [7, ...answers.example] } })
      expect(furthest(came.value!, output.data)).toBeLessThan(1e-5)

      // What took the original takes this in its place, and finds in it what its author called things.
      const as = came[Reading.realOutputs(original)[0]!]!
      expect(as.shape).toEqual([7, ...answers.outputs])
      expect(as.data).toEqual(came.value!.data)
      const known = [...written.graph!.node, ...written.graph!.initializer].map((of) => of.name)
      const nodes = computing(original, input, Reading.realOutputs(original)[0]!)
      const lost = nodes.filter(({ name }) => !known.some((own) => own === name || own.startsWith(`${name}.`)))
      // A product is one with its sum.
      const isPart = ({ opType, output }: (typeof nodes)[number]) =>
        passing.test(opType) || (opType === "MatMul" && users(nodes, output[0]!).join() === "Add")
      expect(lost.filter((node) => !isPart(node)).map(({ name, opType }) => `${opType} ${name}`)).toEqual([])
      for (const { dims, name: parameter } of original.graph!.initializer) {
        if (dims.length > 0 && Circuit.parameters(circuit)[parameter] !== undefined)
          expect(known.join("\n")).toContain(parameter)
      }
    }).pipe(Effect.provide(TfjsEngine.layerWasm))
  )

  it.effect(`${name}: as JSON and back it is the same program`, () =>
    Effect.gen(function* () {
      const { circuit, parameters } = yield* Onnx.read(`${folder}${name}.onnx`)
      const again = yield* CircuitSpec.fromJson(JSON.parse(JSON.stringify(CircuitSpec.toJson(circuit))))
      const x = rows(answers)
      expect(yield* freeRun(again, parameters, x)).toEqual(yield* freeRun(circuit, parameters, x))
      expect(Circuit.sites(again).map(({ path, role }) => [path, role])).toEqual(
        Circuit.sites(circuit).map(({ path, role }) => [path, role])
      )
    }).pipe(Effect.provide(TfjsEngine.layerWasm))
  )
}

for (const name of ["transformer", "heads"]) {
  it.effect(`${name}: axes joined with that of the examples leave each its own answer, however many there are`, () =>
    Effect.gen(function* () {
      const file = `${folder}${name}.onnx`
      const { circuit, example, parameters } = yield* Onnx.read(file)
      const bytes = new Uint8Array(readFileSync(file))
      const all = rows(networks[name]!)
      for (const examples of [1, 3, 7]) {
        const x = NdArray.make([examples, all.shape[1]!], all.data.slice(0, examples * all.shape[1]!))
        const input = Model.inputs(decoded(file))[0]!.name
        const came = yield* Onnxruntime.run(bytes, { [input]: { data: x.data, shape: [examples, ...example] } })
        const output = yield* freeRun(circuit, parameters, x)
        const [answer] = Object.values(came)
        expect(answer!.shape[0]).toBe(examples)
        expect(furthest(output, answer!.data)).toBeLessThan(1e-6)
      }
      // The maps into and out of the attention are places as any other.
      const maps = Circuit.sites(circuit).filter(({ role }) => role === "map")
      expect(maps.length).toBe(name === "transformer" ? 5 : 4)
    }).pipe(Effect.provide(TfjsEngine.layerWasm))
  )
}

it.effect("numbers are rounded and chosen behind a joined axis as in front of it", () =>
  Effect.gen(function* () {
    const model = decoded(`${folder}attention.onnx`)
    const graph = model.graph!
    const [input, output] = [graph.input[0]!.name, graph.output[0]!.name]
    const x = rows(networks.attention!)
    const { example } = yield* Onnx.read(`${folder}attention.onnx`)
    const width = example.at(-1)!
    graph.initializer = [Model.integers("joined", [-1, width]), Model.integers("parted", [-1, ...example])]
    graph.node = [
      Model.node("Reshape", "Joining", [input, "joined"], "j"),
      Model.node("Floor", "Floor", ["j"], "f"),
      Model.node("ArgMax", "ArgMax", ["j"], "a", { axis: 1, keepdims: 1 }),
      Model.node("Cast", "Cast", ["a"], "c", { to: Model.DataType.FLOAT }),
      Model.node("Add", "Sum", ["f", "c"], "s"),
      Model.node("Reshape", "Parting", ["s", "parted"], output)
    ]
    graph.output = [Model.value(output, ["n", ...example], "float")]
    const { circuit, parameters } = yield* Reading.fromModel(model, "net.onnx")
    const wanted = Array.from(x.data).map((value, i, all) => {
      const from = i - (i % width)
      const row = all.slice(from, from + width)
      return Math.floor(value) + row.indexOf(Math.max(...row))
    })
    const came = yield* freeRun(circuit, parameters, x)
    expect(Array.from(came.data)).toEqual(wanted)
  }).pipe(Effect.provide(TfjsEngine.layerWasm))
)

it.effect("a network that takes examples together behind a joined axis is refused", () =>
  Effect.gen(function* () {
    const refused = (shapes: ReadonlyArray<ReadonlyArray<number>>, axis: number) => {
      const model = decoded(`${folder}attention.onnx`)
      const graph = model.graph!
      graph.initializer = shapes.map((shape, i) => Model.integers(`shape${i}`, shape))
      graph.node = shapes.map((_, i) =>
        Model.node("Reshape", `Reshape${i}`, [i === 0 ? graph.input[0]!.name : `y${i - 1}`, `shape${i}`], `y${i}`)
      )
      graph.node.push(Model.node("Softmax", "Softmax", [`y${shapes.length - 1}`], graph.output[0]!.name, { axis }))
      graph.output = [Model.value(graph.output[0]!.name, ["n", 5], "float")]
      return Effect.map(Effect.flip(Reading.fromModel(model, "net.onnx")), ({ message }) => message)
    }
    expect(yield* refused([[-1, 5]], 0)).toContain(
      "Softmax (Softmax) because it takes the examples of a batch together"
    )
    expect(yield* refused([[-1, 5]], 1)).toContain("but [batch·4,5] comes out")
    expect(
      yield* refused(
        [
          [-1, 5],
          [4, -1, 5]
        ],
        2
      )
    ).toContain("the axis «batch·4», whose length each run decides")
    expect(yield* refused([[-1, 3]], 1)).toContain("the axis «batch», whose length each run decides")
  })
)

it.effect("activations within are outputs too, by the names of their nodes with * for any one step", () =>
  Effect.gen(function* () {
    const { circuit, parameters } = yield* Onnx.read(`${folder}perceptron-tanh.onnx`)
    const origin = { plan: "none", seed: 0, engine: "none", version: "0.1.0" }
    const trained = { circuit, parameters, task: "regression", inputNames: ["x1", "x2"], origin } as const
    const { graph } = fromBinary(ModelProtoSchema, yield* Onnx.make(trained, { expose: "/*/Tanh" }))
    expect(graph!.output.map(({ name }) => name)).toEqual(["scores", "value", "/1/Tanh", "/3/Tanh"])
  })
)

it.effect(
  "an activation that is the answer, or is called as an input or an answer, is one more output all the same",
  () =>
    Effect.gen(function* () {
      const model = decoded(`${folder}perceptron-tanh.onnx`)
      const [first, second, third] = model.graph!.node
      first!.name = "label"
      second!.name = model.graph!.input[0]!.name
      third!.name = "logit"
      const { circuit, parameters } = yield* Reading.fromModel(model, "net.onnx")
      const origin = { plan: "none", seed: 0, engine: "none", version: "0.1.0" }
      const trained = { circuit, parameters, task: "binary", inputNames: ["x1", "x2"], origin } as const
      const x = NdArray.make([3, 2], [1, 2, 3, 4, -5, 6])
      const run = (bytes: Uint8Array) => Onnxruntime.run(bytes, { [model.graph!.input[0]!.name]: x })
      const plain = yield* run(yield* Onnx.make(trained))
      const exposed = yield* Effect.forEach(["*", "/*/*"], (expose) =>
        Effect.flatMap(Onnx.make(trained, { expose }), run)
      )
      for (const outputs of exposed) expect(outputs).toMatchObject(plain)
      const names = ["scores", "logit", "probability", "label"]
      expect(Object.keys(exposed[0]!)).toEqual([...names, "label.output", "images.output", "logit.output"])
      expect(Object.keys(exposed[1]!)).toEqual([...names, "/3/Tanh", "/4/Gemm"])
      expect(exposed[1]!["/4/Gemm"]).toEqual(plain.logit)
    })
)

it.effect("a network that expands to the length of its one batch is read for batches of any length", () =>
  Effect.gen(function* () {
    const model = decoded(`${folder}perceptron-tanh.onnx`)
    const graph = model.graph!
    const [{ name: input, type }] = graph.input as [ValueInfoProto]
    const [output] = graph.output
    const shape = (type!.value.value as TypeProto_Tensor).shape!
    shape.dim[0]!.value = { case: "dimValue", value: 3n }
    // As torch.nn.functional.normalize is written.
    const width = Number((output!.type!.value.value as TypeProto_Tensor).shape!.dim[1]!.value.value)
    graph.initializer.push(Model.integers("axes", [1]), Model.integers("whole", [3, width]))
    graph.node.push(
      Model.node("Abs", "Abs", [output!.name], "sizes"),
      Model.node("ReduceSum", "ReduceSum", ["sizes", "axes"], "length"),
      Model.node("Expand", "Expand", ["length", "whole"], "lengths"),
      Model.node("Div", "Div", [output!.name, "lengths"], "normalised")
    )
    graph.output = [Model.value("normalised", ["n", width], "float")]
    const { circuit, parameters } = yield* Reading.fromModel(model, "net.onnx")
    const x = NdArray.make([3, 2], [1, 2, 3, 4, -5, 6])
    const { normalised } = yield* Onnxruntime.run(toBinary(ModelProtoSchema, model), { [input]: x })
    expect(furthest(yield* freeRun(circuit, parameters, x), normalised!.data)).toBeLessThan(1e-6)
    const one = yield* freeRun(circuit, parameters, NdArray.make([1, 2], [3, 4]))
    expect(furthest(one, normalised!.data.slice(width, 2 * width))).toBeLessThan(1e-6)
  }).pipe(Effect.provide(TfjsEngine.layerWasm))
)

it.effect("a perceptron that PyTorch wrote is written as it was, node by node", () =>
  Effect.gen(function* () {
    const file = `${folder}perceptron-tanh.onnx`
    const { circuit, parameters } = yield* Onnx.read(file)
    const origin = { plan: "none", seed: 0, engine: "none", version: "0.1.0" }
    const bytes = yield* Onnx.make({ circuit, parameters, task: "regression", inputNames: ["x1", "x2"], origin })
    const parts = (model: ReturnType<typeof decoded>) =>
      model.graph!.node.map(({ attribute, input, name, opType }) => {
        const settings = attribute.filter(({ i }) => i === 1n).map((of) => of.name)
        return [name, opType, settings.join(), ...input.filter((from) => /^\d|^images/.test(from))]
      })
    const written = fromBinary(ModelProtoSchema, bytes)
    expect(parts(written)).toEqual([...parts(decoded(file)), ["value", "Identity", ""]])
    expect(written.graph!.initializer.map(({ dims, name, rawData }) => [name, dims, rawData])).toEqual(
      decoded(file).graph!.initializer.map(({ dims, name, rawData }) => [name, dims, rawData])
    )
  })
)

it.effect(
  "written again a network is proved as any model, in one file or two, and small; its images go in as they did",
  () =>
    Effect.gen(function* () {
      const own = yield* Folder.make
      for (const [name, options] of [
        ["lenet", {}],
        ["resnet", { externalData: true }],
        ["perceptron-tanh", { weights: "int8" }],
        ["scikit-learn", { weights: "float16" }],
        ["attention", { opset: 17 }]
      ] as const) {
        const file = join(own, `${name}.onnx`)
        const { circuit, example, parameters } = yield* Onnx.read(`${folder}${name}.onnx`)
        const samples = rows(networks[name]!)
        const inputNames = Array.from({ length: samples.shape[1]! }, (_, i) => `x${i}`)
        const origin = { plan: "none", seed: 0, engine: "none", version: "0.1.0" }
        const trained = { circuit, parameters, task: "regression", inputNames, origin } as const
        const record = yield* Onnx.write(trained, file, { samples, ...options })
        expect((yield* Verify.verify(file)).maxAbsDifference).toBe(record.maxAbsDifference)
        const [input] = Model.inputs(decoded(file))
        expect(Object.keys(record.inputs)).toEqual([input!.name])
        expect(input!.shape).toEqual(["batch", ...example])
        if (Elsewhere.isThere) Elsewhere.agrees({ [file]: record }, 1e-5)
        if (name === "perceptron-tanh") {
          const operators = decoded(file).graph!.node.map(({ opType }) => opType)
          expect(operators.filter((operator) => operator === "MatMulInteger").length).toBe(3)
          continue
        }
        const again = yield* Onnx.read(file)
        expect(again.example).toEqual(example)
        expect(again.output).toBe(Reading.realOutputs(decoded(`${folder}${name}.onnx`))[0])
      }
    }).pipe(Effect.provide(TfjsEngine.layerWasm))
)
