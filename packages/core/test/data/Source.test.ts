import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as Blobs from "../../src/data/Blobs.ts"
import * as Dataset from "../../src/data/Dataset.ts"
import * as Moons from "../../src/data/Moons.ts"
import * as Source from "../../src/data/Source.ts"

layer(NodeFileSystem.layer)("Source", (it) => {
  it.effect("gives every set by its name", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(Source.names, [
        "moons-100",
        "moons",
        "circles",
        "spirals",
        "blobs",
        "xor",
        "checkerboard",
        "digits"
      ])
      for (const name of Source.names) {
        assert.strictEqual(Dataset.examples(yield* Source.read(name)), name === "digits" ? 1797 : 100)
      }
      assert.deepStrictEqual(yield* Source.read("moons-100"), yield* Moons.paper)
    })
  )

  it.effect("takes settings", () =>
    Effect.gen(function* () {
      const moons = yield* Moons.make({ examples: 1000, noise: 0.2, seed: 7 })
      assert.deepStrictEqual(yield* Source.read("moons:n=1000,noise=0.2,seed=7"), moons)
      const blobs = yield* Blobs.make({ examples: 50, centers: 4 })
      assert.deepStrictEqual(yield* Source.read("blobs: centers=4, n=50"), blobs)
    })
  )

  it.effect("reads a file, with its label and task", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* fs.makeTempDirectoryScoped()}/a:b=1.csv`
      yield* fs.writeFileString(path, "y,x\n0.5,1\n1.5,2\n")
      const data = yield* Source.read(path, { label: "y", task: "regression" })
      assert.deepStrictEqual([...data.targets.data], [0.5, 1.5])
    })
  )

  const some =
    "expected one of moons-100, moons, circles, spirals, blobs, xor, checkerboard, digits, or a .csv, .npy or IDX file"
  const bad: ReadonlyArray<readonly [text: string, message: string]> = [
    ["moon", `data: ${some}, but «moon» came; name one of these`],
    ["", `data: ${some}, but «» came; name one of these`],
    ["toString", `data: ${some}, but «toString» came; name one of these`],
    ["table.parquet", `data: ${some}, but «table.parquet» came; name one of these`],
    ["moons:size=3", "moons: expected settings n, noise, seed, but «size=3» came; write for instance moons:n=100"],
    ["moons:", "moons: expected settings n, noise, seed, but «» came; write for instance moons:n=100"],
    ["moons:n", "moons: expected a number after n=, but «n» came; write for instance n=100"],
    ["moons:n=", "moons: expected a number after n=, but «n=» came; write for instance n=100"],
    ["moons:noise=high", "moons: expected a number after noise=, but «noise=high» came; write for instance noise=0.1"],
    ["moons:n=1=2", "moons: expected a number after n=, but «n=1=2» came; write for instance n=100"],
    ["moons:n=5,n=6", "moons: expected each setting once, but «n» came twice; remove one of the two"],
    ["moons:n=1", "moons, setting «n»: expected a whole number from 2 to 10000000, but 1 came; change the number"],
    ["moons-100:n=5", "moons-100: expected no settings, but «n=5» came; leave them out, or name moons, which has some"],
    ["digits:n=5", "digits: expected no settings, but «n=5» came; leave them out"]
  ]
  for (const [text, message] of bad) {
    it.effect(`refuses «${text}»`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Source.read(text))
        assert.strictEqual(error._tag, "DataInvalid")
        assert.strictEqual(error.message, message)
      })
    )
  }

  it.effect("refuses a label or another task for a set with a name of its own", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* Effect.flip(Source.read("xor", { label: "y" }))).message,
        "xor: expected a label column for files alone, but «y» came for a set with a name of its own; leave the label out, or give a file"
      )
      assert.strictEqual(
        (yield* Effect.flip(Source.read("xor", { task: "regression" }))).message,
        "xor: expected the task binary, but «regression» came; leave the task out"
      )
    })
  )
})
