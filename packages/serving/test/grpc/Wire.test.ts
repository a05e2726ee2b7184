import { create, equals, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import {
  type InferParameterSchema,
  ModelInferRequestSchema,
  ModelInferResponseSchema
} from "../../src/grpc/grpc_service_pb.ts"
import * as ModelInfer from "../../src/grpc/ModelInfer.ts"
import * as Wire from "../../src/grpc/Wire.ts"

const text = fc.oneof(fc.string({ maxLength: 200 }), fc.constant(""), fc.string({ unit: "binary", maxLength: 20 }))
const bytes = fc.uint8Array({ maxLength: 300 })
const size = fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 36n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n))

const parameters: fc.Arbitrary<Record<string, MessageInitShape<typeof InferParameterSchema>>> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  fc.constant({ a: { parameterChoice: { case: "int64Param" as const, value: 3n } } })
)

const requests = fc.record({
  modelName: text,
  modelVersion: text,
  id: text,
  parameters,
  inputs: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ name: text, datatype: text, shape: fc.array(size, { maxLength: 5 }) }) },
      fc.record({ name: text, parameters, contents: fc.record({ fp32Contents: fc.array(fc.float()) }) })
    ),
    { maxLength: 3 }
  ),
  outputs: fc.array(fc.record({ name: text, parameters }), { maxLength: 3 }),
  rawInputContents: fc.array(bytes, { maxLength: 3 })
})

const encode = (request: MessageInitShape<typeof ModelInferRequestSchema>) =>
  toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, request))

const isSame = (message: Uint8Array): boolean => {
  const read = Wire.read(message)
  if (read === undefined) return false
  const expected = fromBinary(ModelInferRequestSchema, message)
  assert.isTrue(equals(ModelInferRequestSchema, create(ModelInferRequestSchema, read), expected))
  return true
}

describe("a request", () => {
  it("is read as protobuf-es reads it, or left to it", () => {
    let read = 0
    fc.assert(
      fc.property(requests, (request) => {
        if (isSame(encode(request))) read++
      }),
      { numRuns: 3000 }
    )
    assert.isAbove(read, 100)
  })

  it("of the usual kind is not left to it", () => {
    const usual = {
      modelName: "moons",
      modelVersion: "1",
      id: "7",
      inputs: [{ name: "x", datatype: "FP32", shape: [64n, 2n] }],
      outputs: [{ name: "y" }],
      rawInputContents: [new Uint8Array(512)]
    }
    assert.isTrue(isSame(encode(usual)))
  })

  it("that is cut, changed or followed by others' bytes is read as protobuf-es reads it, or left to it", () => {
    fc.assert(
      fc.property(requests, fc.nat(), fc.nat(255), fc.nat(), bytes, (request, place, value, length, more) => {
        const message = Buffer.concat([encode(request), more])
        if (message.length > 0) message[place % message.length] = value
        const cut = message.subarray(0, length % (message.length + 1))
        for (const each of [message, cut]) {
          // What protobuf-es refuses must be refused: only it may say so.
          if (Result.isFailure(Result.try(() => fromBinary(ModelInferRequestSchema, each)))) {
            assert.isUndefined(Wire.read(each))
          } else isSame(each)
        }
      }),
      { numRuns: 10_000 }
    )
  })

  it("has its raw contents as views of its bytes", () => {
    const message = encode({ rawInputContents: [Uint8Array.of(1, 2, 3)] })
    assert.strictEqual(Wire.read(message)?.rawInputContents[0]?.buffer, message.buffer)
  })
})

it("an answer is written as protobuf-es writes it", () => {
  const answers = fc.record({
    model: text,
    version: text,
    id: fc.option(text, { nil: undefined }),
    outputs: fc.array(
      fc.record({
        name: text,
        datatype: fc.constant("FP32" as const),
        shape: fc.array(fc.oneof(fc.nat(300), fc.maxSafeNat()), { maxLength: 5 }),
        data: fc.float32Array({ maxLength: 100 })
      }),
      { maxLength: 3 }
    )
  })
  fc.assert(
    fc.property(answers, (answer) => {
      const frame = Wire.write(answer)
      const message = toBinary(ModelInferResponseSchema, ModelInfer.write(answer))
      assert.deepStrictEqual([frame[0], frame.readUInt32BE(1)], [0, message.length])
      assert.isTrue(Buffer.from(message).equals(frame.subarray(5)))
    }),
    { numRuns: 3000 }
  )
})
