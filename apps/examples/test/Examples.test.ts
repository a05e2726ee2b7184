import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { expect, test } from "@effect/vitest"
import { Circuit, Moons, Plan, TfjsEngine, Training } from "@rai/core"
import { Effect } from "effect"

const source = join(import.meta.dirname, "../src")

interface Ran {
  readonly printed: string
  readonly files: ReadonlyArray<string>
  readonly read: (file: string) => string
}

/** Runs an example by itself in an empty folder, as a reader would, and checks what it prints and writes. */
const run = async (example: string, expected: (ran: Ran) => void | Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "rai-example-"))
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [join(source, example)], { cwd: folder })
    const read = (file: string) => readFileSync(join(folder, file), "utf8")
    await expected({ printed: stdout, files: readdirSync(folder).sort(), read })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Returns the last number that a pattern captures. */
const last = (printed: string, pattern: RegExp): number =>
  Number(Array.from(printed.matchAll(pattern), ([, number]) => number).at(-1) ?? Number.NaN)

const expectations: Readonly<Record<string, (ran: Ran) => void | Promise<void>>> = {
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
    expect(printed).toContain("[batch,16] = square ")
    expect(printed).toContain("cut at 1.1.0, 1.2.0, 2\n")
    expect(last(printed, /accuracy (\S+)/g)).toBeGreaterThanOrEqual(0.85)
  },
  "images.ts": ({ printed }) => {
    expect(printed).toContain(
      "conv2d 8→16 without bias, batch-norm 16, relu, max-pool2d 2, flatten, linear 64→10; cut at 1, 5\n"
    )
    const reached = Array.from(printed.matchAll(/balanced accuracy (\S+),/g), ([, number]) => Number(number))
    expect(reached).toHaveLength(2)
    expect(Math.min(...reached)).toBeGreaterThanOrEqual(0.96)
  },
  "table.ts": ({ files, printed }) => {
    expect(files).toEqual(["new.csv", "things.csv"])
    expect(printed).toContain("inputs weight, colour=blue, colour=green, colour=red\n")
    expect(last(printed, /accuracy (\S+) on 80/g)).toBeGreaterThanOrEqual(0.9)
    expect(printed).toContain("new things: sinks, floats, floats\n")
  },
  "tensorboard.ts": ({ files, printed }) => {
    expect(files).toEqual(["runs"])
    expect(printed).toMatch(
      /^relaxed: loss \S+, in \S*runs.relaxed.events\.out\.\S+\nbackpropagated: loss \S+, in \S*runs.backpropagated.events\.out\.\S+\n$/
    )
    expect(last(printed, /relaxed: loss (\S+),/g)).toBeLessThan(0.1)
  },
  "tfjs-tensors.ts": ({ printed }) => expect(printed).toContain("x [5,2] in, probability [5,1] out\ntensors left: 0\n"),
  "ten-lines.ts": ({ printed }) => {
    const code = readFileSync(join(source, "ten-lines.ts"), "utf8")
      .split("\n")
      .filter((line) => !/^(\/\*\*.*)?$/.test(line))
    expect(code).toHaveLength(10)
    expect(last(printed, /accuracy (\S+) on 1000/g)).toBeGreaterThanOrEqual(0.97)
  },
  "own-optimiser.ts": ({ printed }) => {
    expect(printed).toContain("%9: [] = sign %8\n")
    expect(printed).toContain("relax:200:lion=0.003:z-lion=0.01,backpropagate:200:lion=0.001\n")
    expect(last(printed, /gap (\S+), /g)).toBeLessThan(1)
    expect(last(printed, /accuracy (\S+)/g)).toBe(1)
  },
  "own-data.ts": ({ files, printed }) => {
    expect(files).toEqual(["damaged.jsonl", "readings.jsonl"])
    expect(last(printed, /accuracy (\S+) on 500/g)).toBeGreaterThanOrEqual(0.96)
    expect(printed).toContain(
      'damaged.jsonl, line 2: expected x, y and inside, but {"x":0.5,"y":"left"} came; mend the line or remove it\n'
    )
  },
  "resume.ts": ({ files, printed }) => {
    const [, phase, step] = printed.match(/^interrupted in phase (\d), at step (\d+) of it\n/)!
    expect([phase, Number(step) >= 101, Number(step) < 200]).toEqual(["0", true, true])
    expect(printed).toContain("the same parameters as without the interruption\n")
    expect(files).toEqual(["run"])
  },
  "live-metrics.ts": ({ files, printed, read }) => {
    expect(files).toEqual(["metrics.jsonl"])
    const rows = read("metrics.jsonl")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    // Both saw all of it, and the condition ended the run long before its last step.
    const drawn = printed
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ")[0]!)
    expect(drawn.join("")).toHaveLength(rows.length)
    expect(rows.map(({ step }) => step)).toEqual(rows.map((_, i) => 2 * i))
    expect(rows.findIndex(({ freeRunLoss }) => freeRunLoss < 0.02)).toBe(rows.length - 1)
    expect(rows.length).toBeLessThan(500)
    expect(last(printed, /step (\d+):/g)).toBe(rows.at(-1).step)
  },
  "many-seeds.ts": async ({ printed }) => {
    const rows = Array.from(printed.matchAll(/^ +(\d) +(\d+) +(\S+)$/gm), (row) => row.slice(1).map(Number))
    expect(rows.map(([seed]) => seed)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(rows.every(([, , accuracy]) => accuracy! >= 0.97)).toBe(true)
    const mean = rows.reduce((sum, [, , accuracy]) => sum + accuracy!, 0) / rows.length
    expect(printed).toContain(
      `mean accuracy ${mean.toFixed(4)} over 8 seeds in ${Math.min(8, availableParallelism())} threads\n`
    )
    const circuit = Circuit.perceptron([2, 12, 12, 12, 1], { activation: "tanh" })
    const plan = Plan.auto(circuit, { start: "pytorch" })
    const alone = Effect.flatMap(Moons.paper, (data) => Training.run(circuit, data, { plan, seed: 5 }))
    const { progress } = await Effect.runPromise(Effect.provide(alone, TfjsEngine.layerWasm))
    expect(progress.total).toBe(rows[5]![1])
  },
  "serve-and-ask.ts": ({ files, printed }) => {
    expect(files).toEqual(["moons.onnx", "moons.parity.json"])
    expect(printed).toMatch(/serving 1 model at http:\/\/127\.0\.0\.1:\d+: moons \(cpu\)\n/)
    expect(last(printed, /^(\d+) answers/gm)).toBe(100)
    expect(last(printed, /at most (\S+) from/g)).toBeLessThan(1e-4)
  },
  "fp-ts.ts": ({ files, printed }) => {
    expect(files).toEqual(["best.onnx", "best.parity.json"])
    const losses = Array.from(printed.matchAll(/^seed \d: free-run loss (\S+) after/gm), ([, loss]) => Number(loss))
    expect(losses).toHaveLength(3)
    expect(Math.max(...losses)).toBeLessThan(0.05) // the stop that the last of the summed plans says
    expect(last(printed, /^seed (\d) is the best/gm)).toBe(losses.indexOf(Math.min(...losses)))
    expect(last(printed, /accuracy (\S+) on 1000/g)).toBeGreaterThanOrEqual(0.97)
  },
  "swap-the-engine.ts": ({ printed }) => {
    expect(printed).toMatch(/^tfjs-\w+ and reference differ by less than 1e-5$/m)
    expect(printed).toMatch(/^the first to answer was (tfjs|reference)$/m)
  }
}

test("each example is short, and each has its test and its line in the README", () => {
  const examples = readdirSync(source).filter((file) => file.endsWith(".ts"))
  expect(examples.sort()).toEqual(Object.keys(expectations).sort())
  const readme = readFileSync(join(source, "../README.md"), "utf8")
  for (const example of examples) {
    expect(readme).toContain(`| [${example}](src/${example}) |`)
    const lines = readFileSync(join(source, example), "utf8").trimEnd().split("\n").length
    expect(lines, example).toBeLessThanOrEqual(example === "rai-from-scratch.ts" ? 99 : 55)
  }
})

for (const [example, expected] of Object.entries(expectations)) {
  test(`${example} runs by itself`, () => run(example, expected))
}
