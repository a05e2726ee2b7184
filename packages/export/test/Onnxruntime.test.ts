import { create } from "@bufbuild/protobuf"
import { assert, it } from "@effect/vitest"
import { NdArray } from "@rai/core"
import { Effect } from "effect"
import * as Half from "../src/Half.ts"
import { Model, Onnxruntime } from "../src/index.ts"
import { GraphProtoSchema, type TypeProto_Tensor } from "../src/onnx_pb.ts"

/** y = x + x, in a type of ONNX. */
const doubled = (elemType: number) => {
  const typed = (name: string) => {
    const value = Model.value(name, ["n", 2], "float")
    const type = value.type!.value.value as TypeProto_Tensor
    type.elemType = elemType
    return value
  }
  const node = [Model.node("Add", "add", ["x", "x"], "y")]
  const graph = create(GraphProtoSchema, { name: "doubled", input: [typed("x")], output: [typed("y")], node })
  return Model.encode(graph, { version: "0", metadata: {} })
}

it.effect("a model takes and gives float16, whether JavaScript has an array for it or not", () =>
  Effect.gen(function* () {
    const model = doubled(Model.DataType.FLOAT16)
    const x = NdArray.make([2, 2], [1.5, -0.1, 2 ** -24, Number.POSITIVE_INFINITY])
    const { y } = yield* Onnxruntime.run(model, { x })
    // −0.1 rounds to −1638 · 2⁻¹⁴, and doubles exactly.
    assert.deepStrictEqual(y, {
      shape: [2, 2],
      data: Float64Array.of(3, -1638 / 2 ** 13, 2 ** -23, Number.POSITIVE_INFINITY)
    })
    const { message } = yield* Effect.flip(
      Onnxruntime.run(model, { x: NdArray.make([1, 2], [1, 70_000]) }, "half.onnx")
    )
    assert.strictEqual(
      message,
      "half.onnx: expected onnxruntime to run the model, but it failed on these inputs (70000 is no float16); compare their names, shapes and types with the model's"
    )
  })
)

it("every float16 is the number of its bits", () => {
  for (let bits = 0; bits < 2 ** 16; bits++) {
    const x = Half.number(bits)
    if (!Number.isNaN(x)) assert.strictEqual(Half.bits(x), bits)
  }
  assert.isNaN(Half.number(Half.bits(Number.NaN)))
  assert.strictEqual(Half.bits(65_519), 0x7bff)
  assert.strictEqual(Half.bits(65_520), 0x7c00)
})

it.effect("what onnxruntime says of its own is told, without paths", () =>
  Effect.gen(function* () {
    const of = (cause: unknown) => new Onnxruntime.OnnxruntimeFailed({ file: "m.onnx", doing: "run", cause }).message
    const plain = of(undefined)
    assert.strictEqual(of(new Error("Status Message: cannot open /home/me/m.onnx")), plain)
    assert.strictEqual(of(new Error("words of another kind")), plain)
    const gather = create(GraphProtoSchema, {
      name: "gather",
      input: [Model.value("x", ["n"], "int")],
      initializer: [Model.floats("table", NdArray.make([5, 1], [1, 2, 3, 4, 5]))],
      node: [Model.node("Gather", "gather", ["table", "x"], "y")],
      output: [Model.value("y", ["n", 1], "float")]
    })
    const model = Model.encode(gather, { version: "0", metadata: {} })
    const run = (x: number) => Effect.flip(Onnxruntime.run(model, { x: NdArray.make([1], [x]) }, "m.onnx"))
    assert.match(
      (yield* run(7)).message,
      /^m\.onnx: expected onnxruntime to run the model, but it failed on these inputs \(indices element out of data bounds, idx=7 must be within the inclusive range \[-5,4\]\); compare/
    )
    assert.include((yield* run(1.5)).message, "(1.5 is no whole number)")
  })
)
