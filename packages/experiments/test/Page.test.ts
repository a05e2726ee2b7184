import { assert, describe, it } from "@effect/vitest"
import { Page, Seeds } from "@rai/experiments"
import { Effect, FileSystem } from "effect"
import * as Format from "../src/Format.ts"
import * as Statistics from "../src/Statistics.ts"
import * as Small from "./Small.ts"

const page: Page.Page = {
  name: "small",
  title: "Small",
  question: "Does it?",
  settings: ["**a**: `relax:2`"],
  sections: [
    {
      title: "All",
      table: { head: ["contestant", "a|b"], rows: [["x", "1"]] },
      figures: [{ name: "plot", title: "A plot", svg: "<svg/>" }]
    }
  ],
  shows: ["It does."],
  rows: []
}

describe("Page", () => {
  it("is Markdown with the command that makes it again", () => {
    const text = Page.render(page, { command: "rai experiment small --seeds 0-9", engine: "reference", cores: 1 })
    assert.strictEqual(
      text,
      `# Small

Does it?

Made by \`rai experiment small --seeds 0-9\` with the engine reference on a machine with 1 core.

## All

| contestant | a\\|b |
| --- | ---: |
| x | 1 |

![A plot](small-plot.svg)

## What it shows

- It does.

## Settings

- **a**: \`relax:2\`
`
    )
  })

  it.effect("is written with its plots beside it, into a folder that is made", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = `${yield* fs.makeTempDirectoryScoped()}/results`
      const files = yield* Page.write(page, folder, { command: "rai experiment small", cores: 2 })
      assert.deepStrictEqual(files, [`${folder}/small.md`, `${folder}/small-plot.svg`])
      assert.include(yield* fs.readFileString(files[0]!), "tfjs-native")
      assert.strictEqual(yield* fs.readFileString(files[1]!), "<svg/>")
    }).pipe(Effect.scoped, Effect.provide(Small.here))
  )
})

describe("numbers", () => {
  it("are written as people read them", () => {
    assert.deepStrictEqual(
      [0.03123, 1.24e-7, -2.5, Number.NaN, undefined, Number.POSITIVE_INFINITY, 0].map(Format.number),
      ["0.0312", "1.2e−7", "−2.5000", "–", "–", "∞", "0.0000"]
    )
    assert.deepStrictEqual([0.52, 12.34, 919, 59.96].map(Format.seconds), ["0.52 s", "12.3 s", "15:19 min", "60.0 s"])
    assert.strictEqual(Format.deviating(0.987, 0.004), "98.7 ± 0.4 %")
  })

  it("come to what numpy finds", () => {
    const values = [2, 4, 4, 4, 5, 5, 7, 9]
    assert.strictEqual(Statistics.mean(values), 5)
    assert.closeTo(Statistics.deviation(values), 2.138089935299395, 1e-12) // numpy.std(values, ddof=1)
    assert.strictEqual(Statistics.median(values), 4.5)
    assert.strictEqual(Statistics.median([3, 1, 2]), 2)
    assert.closeTo(Statistics.standardError(values, [1, 3]), 1.2535663410560174, 1e-12)
  })

  it.effect("name seeds both ways", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Seeds.parse("0-3,7,2"), [0, 1, 2, 3, 7])
      assert.strictEqual(Seeds.print([3, 0, 1, 7]), "0-1,3,7")
      for (const text of ["", "a", "3-1", "0-5000", "1.5", "-1"]) {
        assert.strictEqual((yield* Effect.flip(Seeds.parse(text))).came, text)
      }
    })
  )
})
