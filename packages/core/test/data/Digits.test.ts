import { createHash } from "node:crypto"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, PlatformError } from "effect"
import * as Dataset from "../../src/data/Dataset.ts"
import * as Digits from "../../src/data/Digits.ts"
import * as Source from "../../src/data/Source.ts"
import digits from "./fixtures/digits.json" with { type: "json" }

const pixelsOf = (data: Dataset.Dataset) => Uint8Array.from(data.inputs.data, (value) => value * 16)

layer(NodeFileSystem.layer)("Digits", (it) => {
  it.effect("are scikit-learn's", () =>
    Effect.gen(function* () {
      const data = yield* Digits.make()
      assert.strictEqual(data.task, "classes")
      assert.deepStrictEqual(data.classNames, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
      assert.deepStrictEqual(data.inputs.shape, digits.shape)
      assert.deepStrictEqual(data.targets.shape, [1797, 10])
      const pixels = pixelsOf(data)
      assert.isTrue(data.inputs.data.every((value, i) => value === pixels[i]! / 16))
      const labels = Dataset.labels(data)
      for (const [row, { pixels: expected, label }] of Object.entries(digits.rows)) {
        const start = 64 * Number(row)
        assert.deepStrictEqual([...pixels.subarray(start, start + 64)], expected)
        assert.strictEqual(labels[Number(row)], label)
      }
      const sums = digits.pixelSums.map((_, at) => pixels.reduce((sum, p, i) => (i % 64 === at ? sum + p : sum), 0))
      assert.deepStrictEqual(sums, digits.pixelSums)
      assert.strictEqual(
        pixels.reduce((sum, p) => sum + p, 0),
        digits.sum
      )
      const hash = createHash("sha256").update(pixels).update(Uint8Array.from(labels)).digest("hex")
      assert.strictEqual(hash, digits.sha256)
    })
  )

  it.effect("by their name, and a stratified fifth aside", () =>
    Effect.gen(function* () {
      const data = yield* Source.read("digits")
      assert.deepStrictEqual(data, yield* Digits.make())
      const { train, test } = yield* Dataset.split(data, { share: 0.2 })
      const counts = digits.labelCounts.map((_, label) => Dataset.labels(test).filter((each) => each === label).length)
      assert.deepStrictEqual(
        counts,
        digits.labelCounts.map((n) => Math.round(0.2 * n))
      )
      assert.strictEqual(Dataset.examples(train) + Dataset.examples(test), 1797)
    })
  )

  it.effect("say so where the package's file cannot be read", () =>
    Effect.gen(function* () {
      const missing = PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "stat" })
      const files = FileSystem.layerNoop({ stat: () => Effect.fail(missing) })
      const { message } = yield* Effect.flip(Digits.make().pipe(Effect.provide(files)))
      assert.match(message, /digits\.csv\.gz: expected a file, but there is none at this path; check the path$/)
    })
  )
})
