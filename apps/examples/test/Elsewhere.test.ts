/**
 * An exported circuit used elsewhere: in Python, as installed by `npm run judge -- setup`, and in a browser, $CHROMIUM or one on the PATH.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { afterAll, beforeAll, describe, expect, test } from "@effect/vitest"
import * as NativeLibrary from "@rai/core/native"
import { Effect } from "effect"
import { chromium } from "playwright-core"

const source = join(import.meta.dirname, "../src/elsewhere")

const cache = await Effect.runPromise(NativeLibrary.cache.pipe(Effect.provide(NodeServices.layer)))
const python = join(cache, "judges/bin/python")

const isRunnable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const browser = [
  process.env.CHROMIUM ?? "",
  ...(process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name)))
].find(isRunnable)

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** A point and its expected probability, that of the free run. */
interface Expected {
  readonly point: ReadonlyArray<number | string>
  readonly probability: number
}

describe("an exported circuit elsewhere", () => {
  const folder = mkdtempSync(join(tmpdir(), "rai-elsewhere-"))
  let url = ""
  let served: ChildProcess
  let expected: ReadonlyArray<Expected> = []

  /** The example writes the model, with its record, and serves it. */
  beforeAll(async () => {
    const port = await freePort()
    served = spawn(process.execPath, [join(source, "browser.ts"), String(port)], { cwd: folder })
    url = await new Promise<string>((resolve, reject) => {
      let printed = ""
      served.stdout!.on("data", (data) => {
        printed += data
        const found = printed.match(/http:\S+(?=\s)/)
        if (found !== null) resolve(found[0])
      })
      served.once("exit", (code) => reject(new Error(`browser.ts ended with ${code}`)))
    })
    const { inputs, outputs } = JSON.parse(readFileSync(join(folder, "moons.parity.json"), "utf8"))
    const probabilities: ReadonlyArray<readonly [number | string]> = outputs.probability.freeRun
    expected = probabilities.map(([p], i) => ({ point: inputs.x[i], probability: Number(p) }))
  })

  afterAll(() => {
    served.kill()
    rmSync(folder, { recursive: true })
  })

  /** Compares the class and probability found for each point with the free run's. */
  const hold = (answers: ReadonlyArray<readonly [label: number, probability: number]>, of = expected) => {
    expect(answers.length).toBe(of.length)
    expect(answers.length).toBeGreaterThan(100)
    for (const [i, { probability: p }] of of.entries()) {
      const [label, probability] = answers[i]!
      if (Number.isNaN(p)) expect(probability).toBeNaN()
      else expect(Math.abs(probability - p)).toBeLessThanOrEqual(1e-5)
      if (!(Math.abs(p - 0.5) <= 1e-5)) expect(label).toBe(Number(p > 0.5))
    }
  }

  const scripts = readdirSync(source).filter((file) => file.endsWith(".py"))
  test("each script is at most fifteen lines", () => {
    expect(scripts).toEqual(["with_onnx.py", "with_onnxruntime.py", "with_opencv.py"])
    for (const script of scripts) {
      expect(readFileSync(join(source, script), "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(15)
    }
  })

  for (const script of scripts) {
    const skipped = existsSync(python) ? "" : " (skipped: no Python for it; set one up by npm run judge -- setup)"
    test.skipIf(skipped !== "")(`${script} prints the free run's class and probability${skipped}`, () => {
      // OpenCV's functions give NaN at infinity, where there is a limit.
      const own =
        script === "with_opencv.py" ? expected.filter(({ point }) => !`${point}`.includes("Infinity")) : expected
      const points = own.map(({ point }) => point.join(","))
      const printed = execFileSync(
        python,
        ["-W", "ignore", join(source, script), join(folder, "moons.onnx"), ...points],
        {
          encoding: "utf8"
        }
      )
      hold(
        printed
          .trimEnd()
          .split("\n")
          .map((line) => line.split(" ").map(Number) as [number, number]),
        own
      )
    })
  }

  const skipped = browser === undefined ? " (skipped: no chromium on the PATH; give one as $CHROMIUM)" : ""
  test.skipIf(skipped !== "")(`browser.html shows the free run's class and probability${skipped}`, async () => {
    const opened = await chromium.launch({ executablePath: browser!, args: ["--no-sandbox", "--disable-gpu"] })
    try {
      const page = await opened.newPage()
      const problems: Array<string> = []
      page.on("pageerror", (error) => problems.push(error.message))
      await page.goto(url)
      await page.waitForFunction("document.querySelector('#said').textContent.includes('by onnxruntime-web')")
      expect(problems).toEqual([])
      const cells = "Array.from(row.children, (cell) => cell.textContent)"
      const rows = await page.evaluate<ReadonlyArray<ReadonlyArray<string>>>(
        `Array.from(document.querySelectorAll("#answers tr"), (row) => ${cells})`
      )
      expect(rows.map(([x1, x2]) => [x1, x2])).toEqual(expected.map(({ point }) => point.map(String)))
      hold(rows.map(([, , label, probability]) => [Number(label), Number(probability)]))
    } finally {
      await opened.close()
    }
  })
})
