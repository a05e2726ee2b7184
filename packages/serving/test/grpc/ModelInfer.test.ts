import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import * as Datatype from "../../src/Datatype.ts"
import {
  type InferTensorContentsSchema,
  ModelInferRequestSchema,
  ModelInferResponseSchema
} from "../../src/grpc/grpc_service_pb.ts"
import * as ModelInfer from "../../src/grpc/ModelInfer.ts"

type Request = MessageInitShape<typeof ModelInferRequestSchema>
type Contents = MessageInitShape<typeof InferTensorContentsSchema>

// Via bytes, as a request comes from a client.
const read = (request: Request) =>
  ModelInfer.read(
    fromBinary(ModelInferRequestSchema, toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, request)))
  )

const typed = (datatype: string, shape: ReadonlyArray<number>, contents?: Contents) =>
  read({ inputs: [{ name: "x", datatype, shape: shape.map(BigInt), ...(contents && { contents }) }] })

const dataOf = (result: ReturnType<typeof read>) => Array.from<unknown>(Result.getOrThrow(result).inputs[0]?.data ?? [])

const reasonOf = (result: ReturnType<typeof read>) => (Result.isFailure(result) ? result.failure.message : "no failure")

const bytes = (text: string) => new TextEncoder().encode(text)

describe("typed contents", () => {
  const table: ReadonlyArray<readonly [datatype: string, contents: Contents, data: ReadonlyArray<unknown>]> = [
    ["BOOL", { boolContents: [true, false] }, [1, 0]],
    ["INT8", { intContents: [-128, 127] }, [-128, 127]],
    ["INT16", { intContents: [-32768, 32767] }, [-32768, 32767]],
    ["INT32", { intContents: [-1, 2 ** 31 - 1] }, [-1, 2 ** 31 - 1]],
    ["INT64", { int64Contents: [-(2n ** 63n), 2n ** 63n - 1n] }, [-(2n ** 63n), 2n ** 63n - 1n]],
    ["UINT8", { uintContents: [0, 255] }, [0, 255]],
    ["UINT16", { uintContents: [0, 65535] }, [0, 65535]],
    ["UINT32", { uintContents: [0, 2 ** 32 - 1] }, [0, 2 ** 32 - 1]],
    ["UINT64", { uint64Contents: [0n, 2n ** 64n - 1n] }, [0n, 2n ** 64n - 1n]],
    ["FP32", { fp32Contents: [Number.NaN, Number.NEGATIVE_INFINITY] }, [Number.NaN, Number.NEGATIVE_INFINITY]],
    ["FP64", { fp64Contents: [0.1, Number.NaN] }, [0.1, Number.NaN]],
    ["BYTES", { bytesContents: [bytes("z → ẑ"), bytes("")] }, ["z → ẑ", ""]]
  ]
  it.each(table)("hold %s", (datatype, contents, data) => {
    assert.deepStrictEqual(dataOf(typed(datatype, [2], contents)), data)
  })

  it("that do not fit are refused with what is wrong", () => {
    const refused: ReadonlyArray<readonly [ReturnType<typeof read>, string]> = [
      [
        typed("INT8", [1], { intContents: [128] }),
        'the input "x" is INT8: each element is a whole number from -128 to 127; element 0 is another; correct it'
      ],
      [
        typed("INT32", [2], { intContents: [1] }),
        'the input "x" holds 1 elements in int_contents where its shape has 2'
      ],
      [
        typed("INT32", [1], { int64Contents: [1n] }),
        'the input "x" is INT32, whose elements stand in int_contents; some came in int64_contents; move them'
      ],
      [typed("INT32", [1]), 'the input "x" holds 0 elements in int_contents where its shape has 1'],
      [
        typed("FP16", [1], { fp32Contents: [1] }),
        'the input "x" is FP16, which only raw_input_contents can hold; send its bytes there'
      ],
      [
        typed("BYTES", [1], { bytesContents: [new Uint8Array([255])] }),
        'the input "x" is BYTES: each element is a text without U+FFFF; element 0 is another; correct it'
      ],
      [
        typed("BYTES", [2], { bytesContents: [bytes("a\0"), bytes("\uFFFF")] }),
        'the input "x" is BYTES: each element is a text without U+FFFF; element 1 is another; correct it'
      ],
      [
        typed("BF16", [1], { fp32Contents: [1] }),
        'the input "x" has the datatype "BF16"; requests may hold BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64, BYTES'
      ],
      [
        typed("FP32", [-1], { fp32Contents: [1] }),
        'the shape of the input "x" must hold whole numbers from 0 to 2^53 - 1; -1 came; send the sizes of its data'
      ],
      [
        typed("FP32", [2 ** 4, 2 ** 60], { fp32Contents: [] }),
        'the shape of the input "x" must hold whole numbers from 0 to 2^53 - 1; 1152921504606846976 came; send the sizes of its data'
      ],
      [
        typed("FP32", [2 ** 40, 2 ** 40], { fp32Contents: [1] }),
        'the input "x" holds 1 elements in fp32_contents where its shape has 1.2089258196146292e+24'
      ],
      [
        typed("FP32", Array(33).fill(1), { fp32Contents: [1] }),
        'the shape of the input "x" may hold 32 sizes; 33 came; send fewer dimensions'
      ]
    ]
    for (const [result, reason] of refused) assert.strictEqual(reasonOf(result), reason)
    assert.deepStrictEqual(dataOf(typed("FP32", [0, 2 ** 40])), [])
  })
})

describe("raw contents", () => {
  it("of every datatype come back as they were", () => {
    const half = new Uint16Array([0x3c00, 0xfe00])
    const input = { name: "x", datatype: "FP16", shape: [2n] }
    const raw = read({ inputs: [input], rawInputContents: [new Uint8Array(half.buffer)] })
    assert.deepStrictEqual(Result.getOrThrow(raw).inputs[0]?.data, half)
    fc.assert(
      fc.property(
        fc.constantFrom(...Datatype.names),
        fc.array(fc.uint8Array({ minLength: 8, maxLength: 8 })),
        (datatype, parts) => {
          const { bytes: size } = Datatype.row(datatype)
          const text = (part: Uint8Array) => {
            const content = bytes(part.join(","))
            const length = new Uint8Array(new Uint32Array([content.length]).buffer)
            return [...length, ...content]
          }
          const sent = Uint8Array.from(parts.flatMap((part) => (size === 0 ? text(part) : [...part.subarray(0, size)])))
          const request = read({
            id: "7",
            inputs: [{ name: "x", datatype, shape: [BigInt(parts.length)] }],
            rawInputContents: [sent]
          })
          const { inputs } = Result.getOrThrow(request)
          const written = ModelInfer.write({ id: "7", model: "m", version: "1", outputs: inputs })
          const answer = fromBinary(ModelInferResponseSchema, toBinary(ModelInferResponseSchema, written))
          assert.deepStrictEqual(new Uint8Array(answer.rawOutputContents[0] ?? []), sent)
          assert.deepInclude(answer.outputs[0], { name: "x", datatype, shape: [BigInt(parts.length)] })
          assert.deepInclude(answer, { modelName: "m", modelVersion: "1", id: "7" })
        }
      )
    )
  })

  it("must be one for each input, of its length, and no typed ones beside them", () => {
    const x = { name: "x", datatype: "FP32", shape: [1n] }
    const four = new Uint8Array(4)
    const refused: ReadonlyArray<readonly [Request, string]> = [
      [
        { inputs: [x, { ...x, name: "y" }], rawInputContents: [four] },
        "the request has 2 inputs and 1 raw_input_contents; send one for each input, in their order"
      ],
      [
        { inputs: [x], rawInputContents: [four, four] },
        "the request has 1 inputs and 2 raw_input_contents; send one for each input, in their order"
      ],
      [
        { inputs: [], rawInputContents: [four] },
        "the request has 0 inputs and 1 raw_input_contents; send one for each input, in their order"
      ],
      [{ inputs: [x], rawInputContents: [new Uint8Array(5)] }, 'the input "x" holds 5 bytes where its shape has 4'],
      [
        { modelName: "m", inputs: [{ ...x, contents: { fp32Contents: [1] } }], rawInputContents: [four] },
        "contents field must not be specified when using raw_input_contents for 'x' for model 'm'; send all inputs the one way or the other"
      ],
      [
        {
          modelName: "a model",
          inputs: [x, { ...x, name: 'y"', contents: { fp32Contents: [1] } }],
          rawInputContents: [four]
        },
        "contents field must not be specified when using raw_input_contents for 'y\\\"' for model 'a model'; send all inputs the one way or the other"
      ],
      [
        {
          inputs: [
            { ...x, parameters: { shared_memory_region: { parameterChoice: { case: "stringParam", value: "r" } } } }
          ]
        },
        '"x" is in shared memory, which this server does not read or write; send its bytes, and ask for bytes'
      ]
    ]
    for (const [request, reason] of refused) assert.strictEqual(reasonOf(read(request)), reason)
  })
})

describe("parameters", () => {
  it("come as plain values, and go as int64 where they are whole", () => {
    const { id, outputs, parameters } = Result.getOrThrow(
      read({
        id: "a",
        parameters: {
          flag: { parameterChoice: { case: "boolParam", value: false } },
          small: { parameterChoice: { case: "int64Param", value: -5n } },
          large: { parameterChoice: { case: "uint64Param", value: 2n ** 64n - 1n } },
          text: { parameterChoice: { case: "stringParam", value: "t" } },
          real: { parameterChoice: { case: "doubleParam", value: 0.5 } },
          none: {},
          ["__proto__"]: { parameterChoice: { case: "boolParam", value: true } }
        },
        outputs: [{ name: "y", parameters: { classification: { parameterChoice: { case: "int64Param", value: 3n } } } }]
      })
    )
    assert.strictEqual(id, "a")
    assert.deepStrictEqual({ ...parameters, ["__proto__"]: null }, {
      flag: false,
      small: -5,
      large: 2n ** 64n - 1n,
      text: "t",
      real: 0.5,
      ["__proto__"]: null
    } as never)
    assert.deepStrictEqual(outputs, [{ name: "y", parameters: { classification: 3 } }])
    const sent = { whole: 5, real: 0.5, flag: true, text: "t", negative: -(2n ** 60n), large: 2n ** 63n }
    const message = ModelInfer.write({ model: "m", version: "1", outputs: [] }, sent)
    const cases = Object.entries(message.parameters).map(([name, { parameterChoice }]) => [name, parameterChoice.case])
    assert.deepStrictEqual(Object.fromEntries(cases), {
      whole: "int64Param",
      real: "doubleParam",
      flag: "boolParam",
      text: "stringParam",
      negative: "int64Param",
      large: "uint64Param"
    })
  })
})

it("no bytes make a request that cannot be read or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const message = Result.try(() => fromBinary(ModelInferRequestSchema, bytes))
      if (Result.isSuccess(message)) ModelInfer.read(message.success)
    }),
    { numRuns: 5000 }
  )
})
