import { assert, it } from "@effect/vitest"
import { Result } from "effect"
import * as fc from "fast-check"
import * as JsonData from "../../src/http/JsonData.ts"
import * as JsonRequest from "../../src/http/JsonRequest.ts"
import * as Limits from "../../src/http/Limits.ts"
import * as RequestParameters from "../../src/RequestParameters.ts"
import * as SequenceControls from "../../src/repository/SequenceControls.ts"

const read = (text: string, limits: Partial<Limits.Limits> = {}) =>
  JsonRequest.read(Buffer.from(text), new Uint8Array(0), { ...Limits.defaults, ...limits })
const why = (text: string, limits?: Partial<Limits.Limits>) =>
  Result.getOrThrow(Result.flip(read(text, limits))).message
const tensor = (datatype: string, count: number, data: string) =>
  `{"name":"${datatype}","datatype":"${datatype}","shape":[${count}],"data":[${data}]}`

// More than is read in one go.
const many = 20_000

it("keeps every digit of long integers, and what stands in texts", () => {
  const integers = Array.from({ length: many }, (_, i) => BigInt(i) * 461_168_601_842_739n - (1n << 62n))
  const texts = ['NaN, -Infinity, "1234567890123456789"', "[1234567890123456789,", "\\", '\\"']
  const separators = [",", " ,", ",\n", "\t,\r"]
  const spelled = integers.map((integer, i) => `${integer}${i === many - 1 ? "" : separators[i % 4]}`).join("")
  const body = `{"inputs":[${tensor("INT64", many, spelled)},${tensor("BYTES", 4, JSON.stringify(texts).slice(1, -1))},${tensor("FP64", 2, "12345678901234567890,0.12345678901234567890")}]}`
  const { inputs } = Result.getOrThrow(read(body))
  assert.deepStrictEqual(inputs[0]?.data, BigInt64Array.from(integers))
  assert.deepStrictEqual(inputs[1]?.data, texts)
  assert.deepStrictEqual(inputs[2]?.data, Float64Array.of(Number("12345678901234567890"), 0.12345678901234568))
})

it("keeps every digit of a sequence's id, and reads other long parameters whatever the datatypes", () => {
  const long = "18446744073709551615"
  for (const datatype of ["FP32", "INT64"]) {
    const parameters = `{"sequence_id":${long},"timeout":1000000000000000}`
    const request = Result.getOrThrow(read(`{"parameters":${parameters},"inputs":[${tensor(datatype, 1, "1")}]}`))
    assert.deepStrictEqual(RequestParameters.timeout(request), Result.succeed(1_000_000_000_000))
    const id = SequenceControls.tensor(
      { name: "id", datatype: "UINT64", shape: [1] },
      { kind: "CONTROL_SEQUENCE_CORRID" },
      request
    )
    assert.deepStrictEqual(Result.getOrThrow(id).data, BigUint64Array.of(BigInt(long)))
  }
  for (const timeout of ["1.5", "-1", '""', '"1e3"', "true"]) {
    const request = Result.getOrThrow(read(`{"parameters":{"timeout":${timeout}},"inputs":[]}`))
    assert.isTrue(Result.isFailure(RequestParameters.timeout(request)), timeout)
  }
})

it("takes null for what is not there", () => {
  const inputs = [{ name: "x", shape: [1], datatype: "FP32", parameters: null, data: [1] }]
  const request = (absent: null | undefined, outputs: unknown) =>
    Result.getOrThrow(read(JSON.stringify({ id: absent, parameters: absent, inputs, outputs })))
  assert.deepStrictEqual(request(null, null), request(undefined, undefined))
  assert.deepStrictEqual(request(null, [{ name: "y", parameters: null }]), request(undefined, [{ name: "y" }]))
  const headers = { parameters: { content_type: null, timeout: null } }
  const without = { inputs: inputs.map((input) => ({ ...input, parameters: {} })), parameters: {} }
  assert.deepStrictEqual(
    Result.getOrThrow(read(JSON.stringify({ inputs: [{ ...inputs[0], ...headers }], ...headers }))),
    Result.getOrThrow(read(JSON.stringify(without)))
  )
})

it("reads NaN and the infinities as bare words, as many as there are, and writes them as texts", () => {
  const words = ["NaN", "Infinity", "-Infinity", "1.5"]
  const numbers = Array.from({ length: many }, (_, i) => words[i % 4]!)
  const [input] = Result.getOrThrow(read(`{"id":"NaN","inputs":[${tensor("FP32", many, numbers.join(", "))}]}`)).inputs
  const data = Float32Array.from(numbers, Number)
  assert.deepStrictEqual(input?.data, data)
  assert.strictEqual(
    JsonData.write({ datatype: "FP32", data }),
    JSON.stringify(numbers.map((word) => (word === "1.5" ? 1.5 : word)))
  )
})

it("keeps the sign of 0 both ways, and BOOL's elements", () => {
  const text = "[0,-0.0,1.5,-0.0,0]"
  const [input] = Result.getOrThrow(read(`{"inputs":[${tensor("FP32", 5, text.slice(1, -1))}]}`)).inputs
  assert.deepStrictEqual(input?.data, Float32Array.of(0, -0, 1.5, -0, 0))
  assert.strictEqual(JsonData.write(input!), text)
  assert.strictEqual(JsonData.write({ datatype: "FP64", data: Float64Array.of(-0, Number.NaN) }), '[-0.0,"NaN"]')
  assert.strictEqual(JsonData.write({ datatype: "BOOL", data: Uint8Array.of(0, 1) }), "[false,true]")
})

it("refuses texts with half of a character, which have no UTF-8", () => {
  for (const half of ["\\ud800", "\\udc00", "\\ude00\\ud83d"]) {
    assert.strictEqual(
      why(`{"inputs":[${tensor("BYTES", 2, `"a","${half}"`)}]}`),
      `the input "BYTES" is BYTES: each element is a text without U+FFFF; element 1 is "${half}", half of a character; correct it`
    )
  }
  const [whole] = Result.getOrThrow(read(`{"inputs":[${tensor("BYTES", 1, '"\\ud83d\\ude00"')}]}`)).inputs
  assert.deepStrictEqual(whole?.data, ["\u{1f600}"])
})

it("reads what JSON.parse reads, whatever the texts hold", () => {
  const property = fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), (texts) => {
    const well = texts.map((text) => text.toWellFormed().replaceAll("\uFFFF", ""))
    for (const loose of ["", ",NaN"]) {
      const count = loose === "" ? 0 : 1
      const body = `{"inputs":[${tensor("BYTES", well.length, JSON.stringify(well).slice(1, -1))},${tensor("FP32", count, loose.slice(1))}]}`
      assert.deepStrictEqual(Result.getOrThrow(read(body)).inputs[0]?.data, well)
    }
  })
  fc.assert(property, { numRuns: 300 })
})

it("is bounded in depth, arrays, names and elements", () => {
  const more = (limit: number, what: string) =>
    `the body may hold ${limit} ${what}; more came; send its data flat, or as binary tensor data`
  const deep = "the body may nest 100 deep; it goes deeper; send its data flat"
  assert.strictEqual(why(`{"a":${"[".repeat(100)}${"]".repeat(100)}}`), deep)
  assert.match(why(`{"a":${"[".repeat(99)}${"]".repeat(99)}}`), /at inputs: Missing key$/)
  assert.match(why(`{"a":"${"[".repeat(1000)}"}`), /at inputs: Missing key$/)
  assert.strictEqual(why(`{"a":[${"[],".repeat(200)}[]]}`, { jsonArrays: 200 }), more(200, "arrays and objects"))
  const names = `{${Array.from({ length: 300 }, (_, i) => `"${i}":1`).join(",")}}`
  assert.strictEqual(why(names, { jsonKeys: 200 }), more(200, "names in its objects"))
  assert.strictEqual(
    why(`{"inputs":[${tensor("FP32", 3, "1,2,3")}]}`, { jsonElements: 2 }),
    'the input "FP32" may hold 2 elements as JSON; 3 came; send it as binary tensor data'
  )
  assert.match(
    why(`{"inputs":[${tensor("FP32", 1, `NaN${" ".repeat(17_000_000)}`)}]}`),
    /^the body holds NaN, infinities or whole numbers of 16 digits and more, and 170000\d\d characters in all/
  )
})
