import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ReferenceEngine, Sha256 } from "@rai/core"
import { Effect } from "effect"
import * as Agreement from "../src/Agreement.ts"
import * as Onnx from "../src/Onnx.ts"
import * as Verify from "../src/Verify.ts"
import * as Folder from "./Folder.ts"
import * as Trained from "./Trained.ts"

const exported = Effect.gen(function* () {
  const folder = yield* Folder.make
  const file = join(folder, "moons.onnx")
  const record = yield* Effect.provide(Onnx.write(Trained.make([2, 16, 16, 16, 1]), file), ReferenceEngine.layer)
  return { folder, file, beside: join(folder, "moons.parity.json"), record }
})

/** Returns the one-line message that `verify` fails with, without the folder. */
const refusal = (folder: string, file: string) =>
  Effect.map(Effect.flip(Verify.verify(file)), ({ message }) => message.replaceAll(`${folder}/`, ""))

const write = (file: string, content: string | Uint8Array) => Effect.promise(() => writeFile(file, content))

describe("Verify.verify", () => {
  it.effect("answers what the model holds and the largest difference", () =>
    Effect.gen(function* () {
      const { file, record } = yield* exported
      const verified = yield* Verify.verify(file)
      const bytes = yield* Effect.promise(() => readFile(file))
      assert.strictEqual(verified.sha256, Sha256.hex(bytes))
      assert.strictEqual(verified.opset, 21)
      assert.strictEqual(verified.examples, record.examples)
      assert.strictEqual(verified.maxAbsDifference, record.maxAbsDifference)
      assert.isAbove(verified.maxAbsDifference, 0)
      assert.deepInclude(verified.origin, {
        circuit: "linear 2→16, 2 × (sigmoid, linear 16→16), sigmoid, linear 16→1",
        plan: "backpropagate:1:rprop=0.001",
        seed: 0,
        task: "binary",
        inputs: ["x1", "x2"],
        parameters: record.parameters
      })
    })
  )

  it.effect("holds a model to a record of an earlier version too, which said less of what was compared", () =>
    Effect.gen(function* () {
      const { beside, file, record } = yield* exported
      const { compared, ...earlier } = record
      assert.isDefined(compared)
      yield* write(beside, JSON.stringify(earlier))
      assert.strictEqual((yield* Verify.verify(file)).maxAbsDifference, record.maxAbsDifference)
    })
  )

  it.effect("a record that says something else of the model than the model itself is refused", () =>
    Effect.gen(function* () {
      const { beside, file, folder, record } = yield* exported
      const { parameters } = record
      yield* write(beside, JSON.stringify({ ...record, parameters: "0123" }))
      const end = "export the model again with `rai export`"
      assert.strictEqual(
        yield* refusal(folder, file),
        `moons.parity.json: expected the parity record of a model, but its parameters 0123 are not those of the model, ${parameters}; ${end}`
      )
      yield* write(beside, JSON.stringify({ ...record, opset: 17 }))
      assert.strictEqual(
        yield* refusal(folder, file),
        `moons.parity.json: expected the parity record of a model, but its opset 17 is not that of the model, 21; ${end}`
      )
    })
  )

  it.effect("one byte changed in the weights is noticed", () =>
    Effect.gen(function* () {
      const { file, folder } = yield* exported
      const bytes = yield* Effect.promise(() => readFile(file))
      const at = bytes.indexOf("1.0.1.weight") + 200
      bytes[at] = bytes[at]! ^ 1
      yield* write(file, bytes)
      assert.match(
        yield* refusal(folder, file),
        /^moons\.onnx: expected the file whose SHA-256 its parity record holds, [\da-f]{64}, but [\da-f]{64} came: the file has changed since it was exported; /
      )
    })
  )

  it.effect("so is a record whose answers are not the model's", () =>
    Effect.gen(function* () {
      const { beside, file, folder } = yield* exported
      const text = yield* Effect.promise(() => readFile(beside, "utf8"))
      yield* write(
        beside,
        text.replace(/("freeRun": \[\s+\[)[^\]]+/, (_, before: string) => `${before}7`)
      )
      assert.match(
        yield* refusal(folder, file),
        /^moons\.onnx: expected onnxruntime to answer as the free run does, .* sample 0 /
      )
    })
  )

  it.effect("so is a record that lost its samples or its outputs", () =>
    Effect.gen(function* () {
      const { beside, file, folder, record } = yield* exported
      const { logit } = record.outputs
      for (const poorer of [
        { ...record, outputs: {} },
        { ...record, inputs: { x: [] } },
        { ...record, inputs: { x: record.inputs.x!.slice(1) } },
        { ...record, outputs: { logit: { ...logit, freeRun: [] } } }
      ]) {
        yield* write(beside, JSON.stringify(poorer))
        assert.match(
          yield* refusal(folder, file),
          /^moons\.parity\.json: expected the parity record .* samples are missing/
        )
      }
    })
  )

  it.effect("so is a record that says what does not follow from its samples, or leaves an answer out", () =>
    Effect.gen(function* () {
      const { beside, file, folder, record } = yield* exported
      const { maxAbsDifference, maxRelativeDifference, outputs, tolerance } = record
      const start = "moons.parity.json: expected the parity record of a model, but"
      const end = "export the model again with `rai export`"
      const other = (claim: string, said: number, held: number) =>
        `${start} its ${claim} ${said} is not what follows from it, ${held}; ${end}`
      const { logit, probability } = outputs
      const far = logit!.onnxruntime.with(0, [7])
      for (const [changed, message] of [
        [{ maxAbsDifference: 0 }, other("maxAbsDifference", 0, maxAbsDifference)],
        [{ maxRelativeDifference: 0.5 }, other("maxRelativeDifference", 0.5, maxRelativeDifference)],
        [{ tolerance: 1e300 }, other("tolerance", 1e300, tolerance)],
        [{ rounding: 1 }, other("tolerance", tolerance, Agreement.toleranceAt(1))],
        [{ outputs: { logit } }, `${start} it says nothing of the output «probability»; ${end}`],
        [
          { outputs: { logit: { ...logit, onnxruntime: far }, probability } },
          `moons.parity.json: expected onnxruntime to answer as the free run does, |a − b| ≤ ${tolerance} (1 + |b|), but for sample 0 the output «logit» is 7 where the free run gives ${logit!.freeRun[0]![0]}; do not use this model, train or export it again`
        ]
      ] as const) {
        yield* write(beside, JSON.stringify({ ...record, ...changed }))
        assert.strictEqual(yield* refusal(folder, file), message)
      }
    })
  )

  it.effect("so is a record of an output that the model does not have, whatever it is called", () =>
    Effect.gen(function* () {
      const { beside, file, folder, record } = yield* exported
      for (const name of ["other", "constructor", "__proto__"]) {
        const outputs = Object.fromEntries([[name, record.outputs.logit]])
        yield* write(beside, JSON.stringify({ ...record, outputs }))
        assert.match(yield* refusal(folder, file), /^moons\.onnx: expected onnxruntime to answer .*«\w+» is NaN where/)
      }
    })
  )

  it.effect("what is no model, or has no record, gets one line each", () =>
    Effect.gen(function* () {
      const { beside, file, folder } = yield* exported
      const other = join(folder, "other.onnx")
      const lines: Array<string> = [yield* refusal(folder, other)]
      for (const content of ["These are words, not a model.\n", "", Uint8Array.of(8, 10)]) {
        yield* write(other, content)
        lines.push(yield* refusal(folder, other))
      }
      yield* write(beside, "{}")
      lines.push(yield* refusal(folder, file))
      yield* Effect.promise(() => rm(beside))
      lines.push(yield* refusal(folder, file))
      assert.deepStrictEqual(lines, [
        "other.onnx: expected a file to read, but it is not there; check the path",
        "other.onnx: expected an ONNX model, but its bytes are something else; export it again with `rai export`",
        "other.onnx: expected an ONNX model, but it holds no graph with outputs; export it again with `rai export`",
        "other.onnx: expected an ONNX model, but it holds no graph with outputs; export it again with `rai export`",
        "moons.parity.json: expected the parity record of a model, but the file holds something else; export the model again with `rai export`",
        "moons.parity.json: expected the parity record of a model, but it is not there; export the model again with `rai export`"
      ])
    })
  )
})
