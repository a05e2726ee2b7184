import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { expect, test } from "@effect/vitest"

const source = join(import.meta.dirname, "../src")

/** What an example prints, run by itself as its reader runs it, in an empty folder. */
const run = async (example: string): Promise<{ readonly printed: string; readonly files: ReadonlyArray<string> }> => {
  const folder = mkdtempSync(join(tmpdir(), "rai-example-"))
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [join(source, example)], { cwd: folder })
    return { printed: stdout, files: readdirSync(folder).sort() }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The last number that a pattern catches. */
const last = (printed: string, pattern: RegExp): number =>
  Number(Array.from(printed.matchAll(pattern), ([, number]) => number).at(-1) ?? Number.NaN)

const expectations: Readonly<Record<string, (ran: Awaited<ReturnType<typeof run>>) => void>> = {
  "rai-from-scratch.ts": ({ printed }) => {
    expect(printed.match(/^step \d+: /gm)).toHaveLength(7)
    expect(last(printed, /accuracy (\S+),/g)).toBeGreaterThanOrEqual(0.98)
    expect(last(printed, /relaxationGap (\S+)/g)).toBeLessThan(0.1)
  },
  "train-and-export.ts": ({ files, printed }) => {
    expect(files).toEqual(["moons.onnx", "moons.parity.json"])
    expect(last(printed, /accuracy (\S+) on 1000/g)).toBeGreaterThanOrEqual(0.97)
  },
  "own-training-loop.ts": ({ printed }) => {
    expect(printed.match(/^step /gm)).toHaveLength(4)
    expect(last(printed, /free run (\S+),/g)).toBeLessThan(0.3)
  },
  "own-stage.ts": ({ printed }) => {
    expect(printed).toContain("[batch,16] = abs ")
    expect(printed).toContain("cut at 1.1.0, 1.2.0, 2\n")
    expect(last(printed, /accuracy (\S+)/g)).toBeGreaterThanOrEqual(0.85)
  },
  "images.ts": ({ printed }) => {
    expect(printed).toContain("conv2d 8→16, relu, max-pool2d 2, flatten, linear 64→10; cut at 1, 4\n")
    const reached = Array.from(printed.matchAll(/balanced accuracy (\S+),/g), ([, number]) => Number(number))
    expect(reached).toHaveLength(2)
    expect(Math.min(...reached)).toBeGreaterThanOrEqual(0.9)
  },
  "table.ts": ({ files, printed }) => {
    expect(files).toEqual(["new.csv", "things.csv"])
    expect(printed).toContain("inputs weight, colour=blue, colour=green, colour=red\n")
    expect(last(printed, /accuracy (\S+) on 80/g)).toBeGreaterThanOrEqual(0.9)
    expect(printed).toContain("new things: sinks, floats, floats\n")
  },
  "tfjs-tensors.ts": ({ printed }) => expect(printed).toContain("x [5,2] in, probability [5,1] out\ntensors left: 0\n"),
  "swap-the-engine.ts": ({ printed }) => {
    expect(printed).toMatch(/^tfjs-\w+ and reference differ by less than 1e-5$/m)
    expect(printed).toMatch(/^the first to answer was (tfjs|reference)$/m)
  }
}

test("each example is short, and each has its test", () => {
  const examples = readdirSync(source).filter((file) => file.endsWith(".ts"))
  expect(examples.sort()).toEqual(Object.keys(expectations).sort())
  for (const example of examples) {
    const lines = readFileSync(join(source, example), "utf8").trimEnd().split("\n").length
    expect(lines, example).toBeLessThanOrEqual(example === "rai-from-scratch.ts" ? 99 : 40)
  }
})

for (const [example, expected] of Object.entries(expectations)) {
  test(`${example} runs by itself`, async () => expected(await run(example)))
}
