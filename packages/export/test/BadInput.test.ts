/**
 * Models from elsewhere that are invalid, or malicious: each gives a clear error in bounded time, and no byte is read outside the model's folder.
 */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { create, fromBinary, toBinary } from "@bufbuild/protobuf"
import { expect, it } from "@effect/vitest"
import { Circuit } from "@rai/core"
import { Effect } from "effect"
import { Model, Onnx } from "../src/index.ts"
import {
  GraphProtoSchema,
  TensorProto_DataLocation as Location,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  type TypeProto_Tensor
} from "../src/onnx_pb.ts"
import * as Reading from "../src/read/Reading.ts"
import * as Folder from "./Folder.ts"
import * as Fuzzed from "./Fuzzed.ts"

const folder = new URL("networks/", import.meta.url).pathname
const read = (name: string) => new Uint8Array(readFileSync(`${folder}${name}`))
const good = read("perceptron-tanh.onnx")

const changed = (change: (model: ModelProto) => void): Uint8Array => {
  const model = fromBinary(ModelProtoSchema, good)
  change(model)
  return toBinary(ModelProtoSchema, model)
}

const message = (bytes: Uint8Array, file = "net.onnx") =>
  Effect.map(Effect.flip(Reading.fromBytes(bytes, file)), (error) => error.message)

/** Encodes attributes holding graphs holding nodes holding attributes, `levels` deep. */
const nested = (levels: number): Uint8Array => {
  const varint = (n: number): ReadonlyArray<number> =>
    n < 128 ? [n] : [(n % 128) + 128, ...varint(Math.floor(n / 128))]
  const parts: Array<ReadonlyArray<number>> = []
  let length = 0
  // Graph 7 of the model; node 1 of a graph, attribute 5 of a node, graph 6 of an attribute.
  const wrap = (field: number) => {
    const head = [field * 8 + 2, ...varint(length)]
    length += head.length
    parts.push(head)
  }
  for (let level = 0; level < levels; level++) for (const field of [6, 5, 1]) wrap(field)
  wrap(7)
  return Uint8Array.from(parts.reverse().flat())
}

/** Joins one row of its own to a batch of one. */
const ofOne = (): Uint8Array => {
  const graph = create(GraphProtoSchema, {
    input: [Model.value("x", [1, 2], "float")],
    initializer: [Model.floats("row", { shape: [1, 2], data: Float32Array.of(1, 2) })],
    node: [Model.node("Concat", "join", ["row", "x"], "y", { axis: 1 })],
    output: [Model.value("y", [1, 4], "float")]
  })
  return Model.encode(graph, { version: "0", metadata: {} })
}

const cases: Readonly<Record<string, readonly [Uint8Array, string]>> = {
  "a fixed batch": [
    ofOne(),
    "net.onnx: expected shapes and settings that fit each other in Concat «join», but concat along axis 1 expects [1,2], and [batch,2] comes; the model is for batches of exactly 1: export it again with a dynamic batch axis, dynamic_shapes or dynamic_axes of torch.onnx.export"
  ],
  "no bytes": [
    new Uint8Array(0),
    "net.onnx: expected an ONNX model, but it holds no graph with outputs; export it again with `rai export`"
  ],
  "half of a file": [
    good.slice(0, good.length / 2),
    "net.onnx: expected an ONNX model, but its bytes are something else; export it again with `rai export`"
  ],
  "messages nested thirty thousand deep": [
    nested(10_000),
    "net.onnx: expected an ONNX model, but its bytes are something else; export it again with `rai export`"
  ],
  "a tensor of a gibibyte in a file of one kibibyte": [
    changed(({ graph }) => {
      graph!.initializer[0]!.dims = [16384n, 16384n]
    }),
    "net.onnx: expected shapes and settings that fit each other in Gemm «/0/Gemm», but the tensor «0.weight» [16384,16384] holds 16 numbers instead of 268435456; export the model again from where it comes"
  ],
  "a cycle": [
    changed(({ graph }) => {
      graph!.node[0]!.input[0] = graph!.node[2]!.output[0]!
    }),
    "net.onnx: expected a graph without cycles, but Gemm «/2/Gemm» needs its own result; export the model again from where it comes"
  ],
  "an output without a name": [
    changed(({ graph }) => {
      graph!.output[0]!.name = ""
    }),
    "net.onnx: expected arrays that can be read, but an output without a name came; export the model again from where it comes"
  ],
  "an initialiser that is missing": [
    changed(({ graph }) => {
      graph!.initializer.splice(0, 1)
    }),
    "net.onnx: expected every value to be an input, an initialiser or a node's result, but «0.weight» come from nowhere; export the model again from where it comes"
  ],
  "an operator set that is not there yet": [
    changed(({ opsetImport }) => {
      opsetImport[0]!.version = 99n
    }),
    "net.onnx: expected operator set 1 to 28 of ONNX, but it is written in 99; export the model again from where it comes"
  ],
  "shapes that contradict each other": [
    changed(({ graph }) => {
      graph!.initializer[0]!.dims = [2n, 8n]
    }),
    "net.onnx: expected shapes and settings that fit each other in Gemm «/0/Gemm», but matMul expects a right factor [2,…] for [batch,2], and [8,2] comes; export the model again from where it comes"
  ],
  "an output of another shape than the model says": [
    changed(({ graph }) => {
      const type = graph!.output[0]!.type!.value
      if (type.case === "tensorType") type.value.shape!.dim[1]!.value = { case: "dimValue", value: 3n }
    }),
    "net.onnx: expected the output «scores» [n,3], as the model says, but [batch,1] comes out; export the model again from where it comes"
  ],
  "an initialiser that a node gives too": [
    changed(({ graph }) => {
      graph!.node[0]!.output[0] = graph!.initializer[0]!.name
    }),
    "net.onnx: expected each value to have one origin, but «0.weight» has two; export the model again from where it comes"
  ],
  "an example of a thousand million numbers": [
    changed(({ graph }) => {
      graph!.input = [Model.value("images", ["n", 2 ** 30], "float")]
    }),
    "net.onnx: expected an input «images» of at most 16777216 numbers for each example, but it is [n, 1073741824]; export the model again from where it comes"
  ],
  "two inputs": [
    changed(({ graph }) => {
      graph!.input.push(Model.value("mask", ["n", 2], "float"))
    }),
    "net.onnx: expected a model with one input, but it has «images», «mask»; wrap it in a module that takes one input and splits it, and export that; rai serve serves it as it is"
  ],
  "images whose size each run decides": [
    changed(({ graph }) => {
      graph!.input = [Model.value("images", ["n", 1, "height", 8], "float")]
    }),
    "net.onnx: expected an input «images» [batch, …] whose lengths behind the batch are known, but it is [n, 1, height, 8]; export the model again from where it comes"
  ],
  "operators that are not read, all of them at once": [
    changed(({ graph }) => {
      graph!.node[1]!.opType = "TopK"
      graph!.node[3]!.opType = "TopK"
      graph!.node[4]!.domain = "com.example"
    }),
    "net.onnx: expected operators that are read, but these came: TopK (/1/Tanh, /3/Tanh); com.example.Gemm (/4/Gemm); export the model without them, or run it with onnxruntime"
  ],
  "an operator in a form that is not read": [
    changed(({ graph }) => {
      graph!.node[1] = create(NodeProtoSchema, { ...graph!.node[1]!, opType: "LpNormalization", attribute: [] })
      graph!.node[1]!.attribute.push(...Model.node("", "", [], "", { p: 3 }).attribute)
    }),
    "net.onnx: expected operators that are read, but these came: LpNormalization (/1/Tanh) because its p is 3; export the model without them, or run it with onnxruntime"
  ]
}

for (const [name, [bytes, expected]] of Object.entries(cases)) {
  it.effect(`${name} is told`, () =>
    Effect.gen(function* () {
      const started = performance.now()
      expect(yield* message(bytes)).toBe(expected)
      expect(performance.now() - started).toBeLessThan(2000)
    })
  )
}

/** Returns the model with its first weight moved to an external file. */
const outside = (location: string, more: Readonly<Record<string, string>> = {}) =>
  changed(({ graph }) => {
    const [tensor] = graph!.initializer
    tensor!.rawData = new Uint8Array(0)
    tensor!.dataLocation = Location.EXTERNAL
    const entries = Object.entries({ location, ...more })
    tensor!.externalData = entries.map(([key, value]) => ({ $typeName: "onnx.StringStringEntryProto", key, value }))
  })

it.effect("data beside the model are read, data elsewhere are not", () =>
  Effect.gen(function* () {
    const parent = yield* Folder.make
    const own = join(parent, "models")
    mkdirSync(join(own, "deep"), { recursive: true })
    const weight = fromBinary(ModelProtoSchema, good).graph!.initializer[0]!.rawData
    const before = new Uint8Array(8)
    writeFileSync(join(own, "deep", "net.data"), Buffer.concat([before, weight]))
    writeFileSync(join(parent, "secret.data"), Buffer.concat([before, weight]))
    symlinkSync(join(parent, "secret.data"), join(own, "link.data"))
    symlinkSync(parent, join(own, "linked"))
    const file = join(own, "net.onnx")
    writeFileSync(file, outside("deep/net.data", { offset: "8", length: String(weight.length) }))
    const { parameters } = yield* Onnx.read(file)
    expect(parameters).toEqual((yield* Reading.fromBytes(good, "net.onnx")).parameters)

    const told = (location: string, more?: Readonly<Record<string, string>>) =>
      Effect.map(message(outside(location, more), file), (text) =>
        text.slice(text.indexOf("but ") + 4, text.indexOf(";"))
      )
    const elsewhere = (location: string) => `the data of «0.weight» in «${location}» lie outside the model's folder`
    for (const location of [
      "../secret.data",
      join(parent, "secret.data"),
      "deep/../../secret.data",
      "link.data",
      "linked/secret.data",
      ""
    ]) {
      expect(yield* told(location)).toBe(elsewhere(location))
    }
    expect(yield* told("nothing.data")).toBe("the data of «0.weight» in «nothing.data» cannot be read")
    expect(yield* told("deep")).toBe("the data of «0.weight» in «deep» are in no file")
    expect(yield* told("deep/net.data", { offset: "60" })).toBe(
      "the data of «0.weight» in «deep/net.data» are fewer than 64 bytes from 60 on"
    )
    expect(yield* told("deep/net.data", { offset: "-1" })).toBe("the data of «0.weight» in «deep/net.data» begin at -1")
    expect(yield* told("deep/net.data", { length: "1073741824" })).toBe(
      "the data of «0.weight» in «deep/net.data» are 1073741824 bytes instead of 64"
    )
  }).pipe(Effect.scoped)
)

it.effect("values may be called as every object's own are", () =>
  Effect.gen(function* () {
    const bytes = changed(({ graph }) => {
      const [first] = graph!.node
      const [input] = graph!.input
      const weight = graph!.initializer.find(({ name }) => name === first!.input[1])!
      first!.input.splice(0, 2, "__proto__", "constructor")
      input!.name = "__proto__"
      weight.name = "constructor"
    })
    const { circuit, parameters } = yield* Reading.fromBytes(bytes, "net.onnx")
    expect(Circuit.print(circuit)).toBe("graph 2→1")
    expect(parameters["graph.constructor"]).toEqual((yield* Reading.fromBytes(good, "net.onnx")).parameters["0.weight"])
  })
)

it.effect(
  "arrays whose names differ in a slash and a star alone, or in what a circuit puts before them, stay two",
  () =>
    Effect.gen(function* () {
      const whole = yield* Reading.fromBytes(good, "net.onnx")
      const answers = Object.values(whole.parameters)
      for (const names of [
        ["a/b", "a*b", "a·b", "graph.a·b"],
        ["graph.w", "w", "graph.w_2", "graph.graph.w"]
      ]) {
        const bytes = changed(({ graph }) => {
          const renamed = new Map(graph!.initializer.map(({ name }, i) => [name, names[i] ?? name]))
          for (const tensor of graph!.initializer) tensor.name = renamed.get(tensor.name)!
          for (const node of graph!.node) node.input = node.input.map((name) => renamed.get(name) ?? name)
        })
        const { circuit, parameters } = yield* Reading.fromBytes(bytes, "net.onnx")
        expect(Object.values(parameters)).toEqual(answers)
        expect(Object.keys(Circuit.parameters(circuit)).sort()).toEqual(Object.keys(parameters).sort())
        const written = yield* Onnx.make({
          ...{ circuit, parameters, task: "regression", inputNames: [] },
          origin: { plan: "none", seed: 0, engine: "none", version: "0" }
        })
        const { graph } = fromBinary(ModelProtoSchema, written)
        expect(graph!.initializer.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
      }
    })
)

it.effect("examples that a network takes together are told, node by node: a circuit answers each by itself", () =>
  Effect.gen(function* () {
    const behind = (nodes: (last: string) => ReadonlyArray<readonly [string, ReadonlyArray<string>, string]>) =>
      changed(({ graph }) => {
        const [last] = graph!.output
        const own = nodes(last!.name).map(([operator, inputs, output]) => Model.node(operator, output, inputs, output))
        graph!.node.push(...own)
        last!.name = own.at(-1)!.output[0]!
        last!.type = own.length === 1 ? last!.type : undefined
      })
    const told = (name: string) =>
      `net.onnx: expected operators that are read, but these came: ${name} because it takes the examples of a batch together; export the model without them, or run it with onnxruntime`
    const sum = behind((y) => [
      ["ReduceSum", [y], "all"],
      ["Sub", [y, "all"], "apart"],
      ["Tanh", ["apart"], "bent"]
    ])
    expect(yield* message(sum)).toBe(told("ReduceSum (all)"))
    const products = behind((y) => [
      ["Transpose", [y], "turned"],
      ["MatMul", [y, "turned"], "near"],
      ["MatMul", ["near", y], "mixed"]
    ])
    expect(yield* message(products)).toBe(told("MatMul (near)"))
    const moved = changed(({ graph }) => {
      const [input] = graph!.input
      const [output] = graph!.output
      const shape = (input!.type!.value.value as TypeProto_Tensor).shape!
      shape.dim[0]!.value = { case: "dimValue", value: 2n }
      graph!.initializer.push(Model.integers("square", [2, 2]))
      graph!.node = [
        Model.node("Transpose", "turned", [input!.name], "turned"),
        Model.node("Reshape", "square", ["turned", "square"], "again")
      ]
      output!.name = "again"
      output!.type = undefined
    })
    expect(yield* message(moved)).toBe(told("Reshape (square)"))
  })
)

it.effect("a hundred thousand nodes without a name are read in bounded time", () =>
  Effect.gen(function* () {
    const bytes = changed(({ graph }) => {
      const [last] = graph!.output
      const many = Array.from({ length: 100_000 }, (_, i) =>
        Model.node("Tanh", "", [i === 0 ? last!.name : `h${i - 1}`], `h${i}`)
      )
      graph!.node.push(...many)
      last!.name = "h99999"
    })
    const started = performance.now()
    const { circuit } = yield* Reading.fromBytes(bytes, "net.onnx")
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(Circuit.sites(circuit).at(-1)!.path).toBe("Tanh_100000")
  })
)

it("five hundred mutations are read or told what is wrong with them, in bounded time and memory", async () => {
  const models = readdirSync(folder)
    .filter((file) => file.endsWith(".onnx"))
    .map(read)
  const { counts, faults, mostBytes } = await Fuzzed.read(models, 100_000, 500)
  expect(faults).toEqual([])
  expect(mostBytes).toBeLessThan(256 * 2 ** 20)
  expect(Object.keys(counts).sort()).toEqual(["ModelInvalid", "NotAnOnnxModel", "OperatorsUnsupported", "passed"])
})

it.effect("five hundred mutations of models and records are held to each other, or told what is wrong with them", () =>
  Effect.gen(function* () {
    const own = yield* Folder.make
    const { counts, faults, mostBytes } = yield* Effect.promise(() => Fuzzed.verify(own, 100_000, 500))
    expect(faults).toEqual([])
    expect(mostBytes).toBeLessThan(256 * 2 ** 20)
    const told = ["ModelChanged", "ModelInvalid", "NotAnOnnxModel", "OnnxruntimeFailed", "ParityLost", "RecordInvalid"]
    expect(Object.keys(counts).sort()).toEqual([...told, "passed"])
  })
)
