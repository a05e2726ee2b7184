import { fileURLToPath } from "node:url"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Circuit, CircuitSpec } from "@rai/core"
import { CircuitJson } from "@rai/core/schema"
import { Effect, FileSystem, Schema } from "effect"
import * as BlockKinds from "../../src/circuit/BlockKinds.ts"

describe("circuits as text", () => {
  it.effect("widths repeat", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* CircuitSpec.widths("2,100x3,1"), [2, 100, 100, 100, 1])
      assert.deepStrictEqual(yield* CircuitSpec.widths(" 2 , 1 "), [2, 1])
    })
  )

  it.effect("what cannot be read is named", () =>
    Effect.gen(function* () {
      for (const text of ["2,x,1", "2,0,1", "2,-3,1", "2,1.5,1", "2,100x0,1", "2,3x4x5,1", "", "a"]) {
        const error = yield* Effect.flip(CircuitSpec.widths(text))
        assert.match(error.message, /^expected widths such as 2,100x100,1/)
      }
      assert.match(
        (yield* Effect.flip(CircuitSpec.widths("2"))).message,
        /^expected at least an input and an output width/
      )
    })
  )

  it.effect("the README's circuit is read as it would be built, and its table has every kind with its settings", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const readme = yield* fs.readFileString(fileURLToPath(new URL("../../../../README.md", import.meta.url)))
      const file = `${yield* fs.makeTempDirectoryScoped()}/c.json`
      yield* fs.writeFileString(file, /```json\n(\{"sequence"[\s\S]*?)```/.exec(readme)![1]!)
      const inner = Circuit.sequence(Circuit.layerNorm(32), Circuit.tanh, Circuit.linear(32, 32))
      const built = Circuit.sequence(
        Circuit.unflatten({ channels: 1, height: 8, width: 8 }),
        Circuit.conv2d({ channels: 1, filters: 6, kernel: 3, bias: false }),
        Circuit.relu,
        Circuit.flatten,
        Circuit.linear(216, 32),
        Circuit.repeat(Circuit.residual(inner), 4),
        Circuit.linear(32, 10)
      )
      assert.deepStrictEqual(CircuitSpec.toJson(yield* CircuitSpec.read(file)), CircuitSpec.toJson(built))
      const [, table] = /\| kinds \|.*\n.*\n([\s\S]*?)\n\n/.exec(readme)!
      const quoted = (text: string) => [...text.matchAll(/`([\w-]+)`/g)].map(([, name]) => name!)
      const rows = table!
        .split("\n")
        .map((row) => row.split("|").slice(1, 3).map(quoted) as [Array<string>, Array<string>])
      assert.sameMembers(
        rows.flatMap(([names]) => names),
        Object.keys(BlockKinds.table)
      )
      for (const [names, settings] of rows) {
        for (const name of names) {
          const { example, optional } = BlockKinds.table[name]!
          const known = [...Object.keys(example), ...optional, ...(name === "unflatten" ? ["length"] : [])]
          assert.sameMembers([...new Set(settings)], [...new Set(known)], name)
        }
      }
    }).pipe(Effect.provide(NodeFileSystem.layer), Effect.scoped)
  )

  it.effect("a file's fault is told with its place", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/c.json`
      const other = `expected a circuit as JSON in ${file}, but it holds something else`
      const faults: ReadonlyArray<readonly [string, string]> = [
        [
          '{"sequence": [{"kind":',
          `expected a circuit as JSON in ${file}, but it is no JSON (Unexpected end of JSON input)`
        ],
        ["[]", `${other}, expected object`],
        ['{"knd": "tanh"}', `${other}, none of the kinds of blocks`],
        [
          '{"sequence": [{"kind": "tanh"}, {"repeat": {"kind": "tanh"}, "times": 2.5}]}',
          `${other}, expected an integer at sequence 1 times`
        ],
        ['{"residual": {"branch": [{"kind": "tanh"}, 3]}}', `${other}, expected object at residual branch 1`],
        [
          '{"sequence": [{"repeat": {"residual": {"kind": "linear", "settings": {"inputs": 2, "output": 2}}}, "times": 3}]}',
          `${file}: expected a linear block with whole numbers of inputs, outputs from 1, but inputs 2, outputs absent, output 2 came in block 0.*.0`
        ],
        [
          '{"sequence": [{"branch": []}]}',
          `${file}: expected a branch of one block or more, but an empty one came in block 0`
        ]
      ]
      for (const [text, message] of faults) {
        yield* fs.writeFileString(file, text)
        const error = yield* Effect.flip(CircuitSpec.read(file))
        assert.strictEqual(error.message.slice(0, error.message.lastIndexOf("; ")), message)
      }
    }).pipe(Effect.provide(NodeFileSystem.layer), Effect.scoped)
  )

  it.effect("JSON there and back", () =>
    Effect.gen(function* () {
      const circuit = Circuit.perceptron([2, 5, 5, 5, 3, 1], { activation: "relu" })
      const again = yield* CircuitSpec.fromJson(JSON.parse(JSON.stringify(CircuitSpec.toJson(circuit))))
      assert.strictEqual(Circuit.print(again), Circuit.print(circuit))
      assert.deepStrictEqual(Circuit.parameters(again), Circuit.parameters(circuit))
      const around = Circuit.perceptron([2, 5, 5, 5, 3, 3, 1], { activation: "leaky-relu", residual: true })
      const read = yield* CircuitSpec.fromJson(JSON.parse(JSON.stringify(CircuitSpec.toJson(around))))
      assert.strictEqual(Circuit.print(read), Circuit.print(around))
      assert.deepStrictEqual(Circuit.parameters(read), Circuit.parameters(around))
      const decoded = yield* Schema.decodeUnknownEffect(CircuitJson)(CircuitSpec.toJson(around))
      assert.deepStrictEqual(decoded, CircuitSpec.toJson(around))
      const own = CircuitSpec.toJson(Circuit.stage("wave", (z) => z))
      assert.match((yield* Effect.flip(CircuitSpec.fromJson(own))).message, /«wave»/)
      assert.match((yield* Effect.flip(CircuitSpec.fromJson({ kind: "toString" }))).message, /«toString»/)
      const narrow = { kind: "linear", settings: { inputs: 2, outputs: 0 } }
      assert.match((yield* Effect.flip(CircuitSpec.fromJson(narrow))).message, /outputs 0 came/)
      const never = { repeat: { kind: "tanh" }, times: 0 }
      assert.match((yield* Effect.flip(CircuitSpec.fromJson(never))).message, /a repeat of 1 to .* but 0 came/)
    })
  )
})
