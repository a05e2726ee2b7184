import { execFileSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as Request from "../../src/page/browser/Request.ts"

const filled = (shape: string, data: string, datatype = "FP32"): Request.Filled => ({
  name: "x",
  datatype,
  shape,
  data
})

describe("examples", () => {
  const of = (datatype: string, ...shape: ReadonlyArray<number>) => {
    const size = Request.exampleShape({ name: "x", datatype, shape })
    return [size, Request.exampleData(datatype, size)]
  }

  it("one of each open size, and values of the datatype", () => {
    assert.deepStrictEqual(of("FP32", -1, 2), ["1, 2", "0.5, -0.25"])
    assert.deepStrictEqual(of("FP64", 5), ["5", "0.5, -0.25, 1, 0, 0.5"])
    assert.deepStrictEqual(of("INT64", -1, 3), ["1, 3", "1, 0, 1"])
    assert.deepStrictEqual(of("UINT8"), ["", "1"])
    assert.deepStrictEqual(of("BOOL", 2), ["2", "true, false"])
    assert.deepStrictEqual(of("BYTES", -1), ["1", '"text"'])
  })

  it("one value stands for all where these are more than anybody reads", () => {
    assert.deepStrictEqual(of("FP32", -1, 3, 224, 224), ["1, 3, 224, 224", "0.5"])
  })
})

describe("body", () => {
  const data = (shape: string, typed: string, datatype?: string) =>
    Request.body([filled(shape, typed, datatype)]).replace(/^.*"data":(.*)}]}$/s, "$1")

  it("is the protocol's", () => {
    assert.deepStrictEqual(JSON.parse(Request.body([filled("1, 2", "0.5, -0.25"), filled("", "7", "INT64")])), {
      inputs: [
        { name: "x", datatype: "FP32", shape: [1, 2], data: [0.5, -0.25] },
        { name: "x", datatype: "INT64", shape: [], data: [7] }
      ]
    })
  })

  it("holds what was typed as it is: long integers, bare words, nested arrays, mistakes", () => {
    assert.strictEqual(data("2", "9007199254740993, -1", "INT64"), "[9007199254740993, -1]")
    assert.strictEqual(data("2", "NaN, -Infinity"), "[NaN, -Infinity]")
    assert.strictEqual(data("2, 1", "[[1], [2]]"), "[[1], [2]]")
    assert.strictEqual(data("2", "1, two"), "[1, two]")
  })

  it("repeats one value that stands for all", () => {
    assert.strictEqual(data("2, 2", " 0.5 "), "[0.5,0.5,0.5,0.5]")
    assert.strictEqual(data("2", '"a, \\"b\\""', "BYTES"), '["a, \\"b\\"","a, \\"b\\""]')
    assert.strictEqual(data("2", "[0.5]"), "[0.5]")
    assert.strictEqual(data("1", "0.5"), "[0.5]")
  })
})

describe("curl", () => {
  it("says to a shell what is sent, quotes and all, and no token", () => {
    const text = `{"a":"it's \\"$HOME\\" \`x\`"}`
    const command = Request.curl("http://localhost:1/v2/models/it's/infer", text, true)
    const shown = execFileSync("sh", ["-c", `curl() { printf '%s\\n' "$@"; }\n${command}`], {
      env: { TOKEN: "secret" }
    })
    assert.deepStrictEqual(String(shown).split("\n"), [
      "-s",
      "http://localhost:1/v2/models/it's/infer",
      ...["-H", "authorization: Bearer secret", "-H", "content-type: application/json"],
      ...["-d", text, ""]
    ])
    assert.notInclude(Request.curl("http://localhost:1", text, false), "authorization")
  })
})
