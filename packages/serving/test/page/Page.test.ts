import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { promisify } from "node:util"
import { assert, describe, layer } from "@effect/vitest"
import { interpolateViridis } from "d3-scale-chromatic"
import { Effect, Layer, Redacted } from "effect"
import type { Page } from "playwright-core"
import * as InferenceServer from "../../src/InferenceServer.ts"
import { call, fixtures, tensor } from "../Client.ts"
import * as Folder from "../Folder.ts"
import * as Browser from "./Browser.ts"

const require = createRequire(import.meta.url)
const live = { excludeTestServices: true }
const serving = (options: Partial<InferenceServer.Options>) =>
  Layer.merge(
    InferenceServer.layer({ repository: fixtures, port: 0, executionProviders: ["cpu"], ...options }),
    Browser.Browser.layer
  )

const seen = (page: Page, selector: string) => Effect.promise(() => page.locator(selector).allInnerTexts())
const text = (page: Page, selector: string) =>
  Effect.promise(async () => (await page.locator(selector).textContent()) ?? "")
const act = (doing: () => Promise<unknown>) => Effect.promise(doing)

const values = (page: Page) => page.getByLabel("Values", { exact: true })

interface Infer {
  readonly outputs: ReadonlyArray<{ readonly name: string; readonly data: ReadonlyArray<number> }>
}

const x = (rows: number, data: ReadonlyArray<number>) => ({ inputs: [tensor("x", "FP32", [rows, 2], data)] })

/** Asks the server directly. */
const ask = (model: string, body: unknown) =>
  Effect.map(call(`/v2/models/${model}/infer`, body), ({ body }) => body as unknown as Infer)

/** Returns the colour of a pixel of the landscape. */
const pixel = (page: Page, column: number, row: number) =>
  Effect.promise(() =>
    page.evaluate<ReadonlyArray<number>>(`(() => {
      const copy = new OffscreenCanvas(100, 100).getContext("2d", { willReadFrequently: true })
      copy.drawImage(document.querySelector("#picture canvas"), 0, 0)
      return [...copy.getImageData(${column}, ${row}, 1, 1).data]
    })()`)
  )

const drawn = (page: Page) => act(() => page.locator("#landscape[aria-busy=false]").waitFor())

/** Checks that the page in its current state breaks no rule of axe-core. */
const accessible = Effect.fnUntraced(function* (page: Page) {
  const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8")
  const broken = yield* Effect.promise(async () => {
    await page.evaluate(axe)
    return page.evaluate<ReadonlyArray<string>>(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" ")))`
    )
  })
  assert.deepStrictEqual(broken, [])
})

describe.skipIf(Browser.program === undefined)(Browser.unless("in a browser"), () => {
  layer(serving({}), live)("the page", (it) => {
    it.effect("lists the models, each with its state, versions and provider", () =>
      Effect.gen(function* () {
        const page = yield* Browser.open()
        yield* act(() => page.locator("#models li").nth(3).waitFor())
        assert.deepStrictEqual(yield* seen(page, "#models b"), ["identity", "loop", "reshape", "sigmoid"])
        assert.deepStrictEqual(yield* seen(page, "#models small"), Array(4).fill("version 1 · cpu"))
        assert.strictEqual(yield* text(page, "#state"), "4 of 4 models ready")
        const { name, version } = (yield* call("/v2")).body
        yield* act(() => page.locator("#about:not(:empty)").waitFor())
        assert.include(yield* text(page, "#about"), `${name} ${version} at 127.0.0.1:`)
      })
    )

    it.effect("shows the model that is chosen, with the keyboard too, and keeps it in the address", () =>
      Effect.gen(function* () {
        const page = yield* Browser.open()
        yield* act(() => page.locator("#models a").first().waitFor())
        yield* act(() => page.locator("#models a", { hasText: "reshape" }).focus())
        yield* act(() => page.keyboard.press("Enter"))
        yield* act(() => page.locator("#name", { hasText: "reshape" }).waitFor())
        assert.strictEqual(new URL(page.url()).hash, "#/reshape")
        assert.deepStrictEqual(yield* seen(page, "#models a[aria-current=page] b"), ["reshape"])
        yield* act(() => page.reload())
        yield* act(() => page.locator("#name", { hasText: "reshape" }).waitFor())
        yield* act(() => page.keyboard.press("Tab"))
        yield* act(() => page.keyboard.press("Enter"))
        assert.strictEqual(yield* Effect.promise(() => page.evaluate("document.activeElement.id")), "model")
        yield* act(() => page.waitForTimeout(1200))
        assert.strictEqual(yield* text(page, "#name"), "reshape")
      })
    )

    it.effect("answers a form's request as the server does, and so does the curl command", () =>
      Effect.gen(function* () {
        const page = yield* Browser.open({ path: "/#/sigmoid" })
        assert.deepStrictEqual(
          yield* Effect.promise(async () => [
            await page.getByLabel("Shape").inputValue(),
            await values(page).inputValue()
          ]),
          ["1, 2", "0.5, -0.25"]
        )
        yield* act(() => page.getByLabel("Shape").fill("2, 2"))
        assert.strictEqual(yield* Effect.promise(() => values(page).inputValue()), "0.5, -0.25, 1, 0")
        yield* act(() => values(page).fill("0.25, -1.5, 3, 0.125"))
        yield* act(() => page.keyboard.press("Control+Enter"))
        yield* act(() => page.locator("#answer table").waitFor())
        assert.match(yield* text(page, "#answer p"), /^200 in [\d.]+ ms$/)
        const own = yield* ask("sigmoid", x(2, [0.25, -1.5, 3, 0.125]))
        assert.deepStrictEqual(
          yield* seen(page, "#answer td"),
          own.outputs.map(({ data }) => data.join(", "))
        )
        assert.deepStrictEqual(yield* seen(page, "#answer th small"), ["FP32 [2, 3]", "FP32 [2, 3]"])
        const command = yield* text(page, "#curl")
        const { stdout } = yield* Effect.promise(() => promisify(execFile)("sh", ["-c", command], { timeout: 20_000 }))
        const { outputs } = JSON.parse(stdout) as Infer
        assert.deepStrictEqual(outputs, own.outputs)
      })
    )

    it.effect("offers no form where JSON cannot carry an input", () =>
      Effect.gen(function* () {
        const page = yield* Browser.open({ path: "/#/sigmoid" })
        const form = page.locator("#ask")
        yield* act(() => form.waitFor())
        const folder = yield* Folder.make
        Folder.put(folder, "halves/1/model.onnx", { model: "../triton/models/kinds/1/model" })
        yield* Effect.gen(function* () {
          const page = yield* Browser.open({ path: "/#/halves" })
          yield* act(() => page.locator("#raw-only").waitFor())
          assert.strictEqual(
            yield* text(page, "#raw-only"),
            "The protocol's JSON has no form for FP16, as FP16 is. Send it as binary tensor data, as @rai/client and Triton's clients do."
          )
          assert.deepStrictEqual(
            yield* Effect.promise(async () => [
              await page.locator("#ask").isVisible(),
              await page.locator("#curl").isVisible()
            ]),
            [false, false]
          )
        }).pipe(Effect.provide(InferenceServer.layer({ repository: folder, port: 0, executionProviders: ["cpu"] })))
        assert.isTrue(yield* Effect.promise(() => form.isVisible()))
      })
    )

    it.effect("has a field for each input, carries 64 bits, and shows what the server says of a mistake", () =>
      Effect.gen(function* () {
        const mistake = /status of 400/
        const page = yield* Browser.open({ path: "/#/identity", expected: mistake })
        yield* act(() => page.locator("#inputs fieldset").nth(5).waitFor())
        const long = page.getByRole("group", { name: "INT64" }).getByLabel("Values", { exact: true })
        yield* act(() => long.fill("9007199254740993"))
        yield* act(() => page.getByRole("button", { name: "Send" }).click())
        yield* act(() => page.locator("#answer table").waitFor())
        assert.deepStrictEqual(yield* seen(page, "#answer td"), ["0.5", "0.5", "1", "9007199254740993", "true", "1"])
        yield* act(() => long.fill("one"))
        yield* act(() => page.getByRole("button", { name: "Send" }).click())
        yield* act(() => page.locator("#answer p.bad").waitFor())
        assert.include(yield* text(page, "#answer"), "the body is not JSON")
      })
    )

    it.effect("draws the landscape in the colours of what the server answers, wherever it is looked at", () =>
      Effect.gen(function* () {
        const page = yield* Browser.open({ path: "/#/sigmoid" })
        yield* drawn(page)
        const check = Effect.fnUntraced(function* (low: number, high: number, output: number, column: number) {
          for (const [across, up] of [
            [0, 0],
            [99, 0],
            [50, 50],
            [17, 83],
            [64, 31]
          ] as const) {
            const at = [across, up].map((cell) => Number((low + ((cell + 0.5) / 100) * (high - low)).toPrecision(7)))
            const { outputs } = yield* ask("sigmoid", x(1, at))
            const colour = interpolateViridis(outputs[output]!.data[column]!)
            const [red, green, blue] = yield* pixel(page, across, 99 - up)
            const painted = [red, green, blue].map((part) => part!.toString(16).padStart(2, "0")).join("")
            assert.strictEqual(`#${painted}`, colour, `at ${at}`)
          }
        })
        yield* check(-3, 3, 0, 2)
        yield* act(() => page.getByLabel("Column").selectOption("0"))
        yield* check(-3, 3, 0, 0)
        for (const [i, value] of ["-8", "2", "-8", "2"].entries()) {
          yield* act(() => page.locator("#ranges input").nth(i).fill(value))
        }
        yield* act(() => page.locator("#ranges input").last().blur())
        yield* drawn(page)
        yield* check(-8, 2, 0, 0)
        yield* act(() => page.locator("#picture canvas").focus())
        for (const key of ["ArrowRight", "Shift+ArrowUp"]) yield* act(() => page.keyboard.press(key))
        const { outputs } = yield* ask("sigmoid", x(1, [-2.85, -1.95]))
        assert.strictEqual(
          yield* text(page, "#reading"),
          `x₁ −2.85, x₂ −1.95: y ${Number(outputs[0]!.data[0]!.toPrecision(3))}`
        )
        yield* act(() => page.getByLabel("Output").selectOption("logit"))
        yield* drawn(page)
        assert.notStrictEqual((yield* seen(page, "#bar-ticks span")).join(), "0,0.25,0.5,0.75,1")
      })
    )

    it.effect("shows live numbers that move under load, and stand still without", () =>
      Effect.gen(function* () {
        const page = yield* Browser.open({ path: "/#/loop" })
        const number = (of: string) => Effect.map(text(page, `[data-of=${of}]`), Number)
        yield* act(() => page.locator("[data-of=answered]", { hasText: /^0$/ }).waitFor())
        assert.strictEqual(yield* text(page, "[data-of=latency]"), "–")
        const loop = { inputs: [tensor("n", "INT64", [], [20_000]), tensor("x", "FP32", [1], [0.25])] }
        const load = Effect.forEach(Array(8).fill(loop), (body) => ask("loop", body), { concurrency: 4 })
        const running = yield* Effect.forkChild(Effect.forever(load))
        yield* act(() => page.locator("[data-of=answered]", { hasText: /^[1-9]/ }).waitFor())
        yield* act(() => page.waitForTimeout(2500))
        const rate = yield* number("answered")
        const latency = yield* number("latency")
        // Four at a time: a mean request takes about four times the time from one answer to the next.
        assert.isAbove(rate, 0)
        const share = (rate * latency) / 1000
        assert.deepStrictEqual([share > 1, share < 10], [true, true], `${rate}/s of ${latency} ms`)
        assert.strictEqual(yield* number("batch"), 1)
        assert.match(yield* text(page, "#models a[aria-current] .rate"), /^[1-9][\d.,]*\/s$/)
        const painted = `document.querySelector("[data-curve] canvas").getContext("2d")`
        const colours = yield* Effect.promise(() =>
          page.evaluate<number>(`(() => {
            const canvas = document.querySelector("[data-curve] canvas")
            const { data } = ${painted}.getImageData(0, 0, canvas.width, canvas.height)
            let n = 0
            for (let i = 0; i < data.length; i += 4) if (data[i] === 0x1c && data[i + 1] === 0x6f && data[i + 2] === 0x7a && data[i + 3] === 255) n++
            return n
          })()`)
        )
        assert.isAbove(colours, 10)
        running.interruptUnsafe()
        yield* act(() => page.locator("[data-of=answered]", { hasText: /^0$/ }).waitFor())
      })
    )

    it.effect("has nothing that axe-core finds wrong, in light and dark, wide and narrow", () =>
      Effect.gen(function* () {
        for (const dark of [false, true]) {
          for (const width of [1280, 375]) {
            const page = yield* Browser.open({ path: "/#/sigmoid", dark, width })
            yield* drawn(page)
            yield* act(() => page.getByRole("button", { name: "Send" }).click())
            yield* act(() => page.locator("#answer table").waitFor())
            yield* accessible(page)
            assert.isAtMost(yield* Effect.promise(() => page.evaluate<number>("document.body.scrollWidth")), width)
          }
        }
      })
    )

    it.effect("does not jump while it is looked at", () =>
      Effect.gen(function* () {
        const page = yield* Browser.open({ path: "/#/sigmoid" })
        yield* drawn(page)
        yield* act(() => page.waitForTimeout(2500))
        const shift = yield* Effect.promise(() =>
          page.evaluate<number>(`new Promise((resolve) => {
            new PerformanceObserver((list) =>
              resolve(list.getEntries().reduce((sum, { value }) => sum + value, 0))
            ).observe({ type: "layout-shift", buffered: true })
            setTimeout(() => resolve(0), 500)
          })`)
        )
        assert.isBelow(shift, 0.01)
      })
    )

    it.effect("finds one among a hundred models", () =>
      Effect.gen(function* () {
        // What the server says of its models, said of a hundred.
        const many =
          (names: (index: number) => string) => (key: string | undefined) => async (page: Page, path: string) =>
            page.route(path, async (route) => {
              const answer = await route.fetch()
              const all = await answer.json()
              const one = (key === undefined ? all : all[key]).find(({ name }: { name: string }) => name === "sigmoid")
              const copies = Array.from({ length: 100 }, (_, i) => ({ ...one, name: names(i) }))
              await route.fulfill({ response: answer, json: key === undefined ? copies : { [key]: copies } })
            })
        const copies = many((i) => (i === 42 ? "sigmoid" : `model-${i}`))
        const page = yield* Browser.open({
          prepare: async (page) => {
            await copies(undefined)(page, "**/v2/repository/index")
            await copies("model_stats")(page, "**/v2/models/stats")
            await page.route("**/v2/models/model-*/**", (route) =>
              route.continue({
                url: route
                  .request()
                  .url()
                  .replace(/model-\d+/, "sigmoid")
              })
            )
          }
        })
        yield* act(() => page.locator("#models li").nth(99).waitFor())
        yield* act(() => page.getByLabel("Models whose name contains").fill("SIG"))
        yield* act(() => page.locator("#models li:visible").nth(1).waitFor({ state: "hidden" }))
        assert.deepStrictEqual(yield* seen(page, "#models li:visible b"), ["sigmoid"])
        yield* act(() => page.getByLabel("Models whose name contains").fill("nothing like it"))
        yield* act(() => page.getByText("No model has that in its name.").waitFor())
        yield* act(() => page.getByLabel("Models whose name contains").fill(""))
        // What stays as it is keeps its elements from look to look: a list drawn anew would hold the page up.
        const lines = `[...document.querySelectorAll("#models li")]`
        yield* Effect.promise(() => page.evaluate(`void (globalThis.before = ${lines})`))
        const looks = { left: 3 }
        page.on("response", (response) => {
          if (response.url().endsWith("/v2/models/stats")) looks.left -= 1
        })
        while (looks.left > 0) yield* act(() => page.waitForTimeout(100))
        const kept = yield* Effect.promise(() =>
          page.evaluate<number>(`${lines}.filter((line, i) => line === globalThis.before[i]).length`)
        )
        assert.strictEqual(kept, 100)
        yield* accessible(page)
      })
    )
  })

  const secret = serving({ access: { all: Redacted.make("secret") }, executionProviders: ["cuda", "cpu"] })
  layer(secret, live)("behind a token", (it) => {
    it.effect("asks for the token, takes the right one alone, and keeps it in the tab", () =>
      Effect.gen(function* () {
        const page = yield* Browser.open({ path: "/#/sigmoid", expected: /status of 401/ })
        const field = page.getByLabel("Bearer token")
        yield* act(() => field.waitFor())
        yield* accessible(page)
        assert.deepStrictEqual(yield* seen(page, "#app :visible"), [])
        yield* act(() => field.fill("guess"))
        yield* act(() => page.keyboard.press("Enter"))
        yield* act(() => page.getByText("The server does not take this token.").waitFor())
        yield* act(() => field.fill("secret"))
        yield* act(() => page.keyboard.press("Enter"))
        yield* act(() => page.locator("#models b", { hasText: "sigmoid" }).waitFor())
        yield* drawn(page)
        yield* act(() => page.getByRole("button", { name: "Send" }).click())
        yield* act(() => page.locator("#answer table").waitFor())
        assert.include(yield* text(page, "#curl"), '-H "authorization: Bearer $TOKEN"')
        assert.notInclude(yield* Effect.promise(() => page.content()), "secret")
        const authorized = { headers: { authorization: "Bearer secret" } }
        const { parameters } = (yield* call("/v2/models/sigmoid", undefined, authorized)).body
        const { cuda_not_taken: why } = parameters as Readonly<Record<string, string>>
        assert.strictEqual(yield* text(page, "#provider"), why === undefined ? "" : `cuda was not taken: ${why}`)
        yield* act(() => page.reload())
        yield* act(() => page.locator("#models b", { hasText: "sigmoid" }).waitFor())
        yield* act(() => page.getByRole("button", { name: "Forget the token" }).click())
        yield* act(() => field.waitFor())
        assert.strictEqual(yield* Effect.promise(() => page.evaluate("sessionStorage.length")), 0)
      })
    )
  })

  layer(Browser.Browser.layer, live)("a repository that changes", (it) => {
    it.effect("shows why a model does not answer, that none does, and that the server is gone", () =>
      Effect.gen(function* () {
        const repository = yield* Folder.make
        Folder.put(repository, "moons/1/model.onnx", { model: "sigmoid" })
        const { page } = yield* Effect.gen(function* () {
          const page = yield* Browser.open({
            expected: /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/
          })
          yield* act(() => page.locator("#versions td", { hasText: "ready" }).waitFor())
          Folder.put(repository, "moons/2/model.onnx", { model: "sigmoid" })
          yield* act(() => page.locator("#version option", { hasText: "2" }).waitFor({ state: "attached" }))
          Folder.put(repository, "moons/3/model.onnx", "no model")
          yield* act(() =>
            page.locator(".reason", { hasText: "the file is not an ONNX model; export one again" }).waitFor()
          )
          assert.strictEqual(yield* text(page, "#state"), "1 of 1 model ready")
          yield* call("/v2/repository/models/moons/unload", "")
          yield* act(() => page.locator("#state", { hasText: "0 of 1 model ready" }).waitFor())
          assert.isFalse(yield* Effect.promise(() => page.locator("#panels").isVisible()))
          assert.deepStrictEqual(yield* seen(page, "#models small"), ["unloaded"])
          yield* accessible(page)
          return { page }
        }).pipe(
          Effect.provide(
            InferenceServer.layer({
              ...{ repository, port: 0, executionProviders: ["cpu"], poll: "200 millis", access: { admin: "open" } }
            })
          )
        )
        yield* act(() => page.locator("#state", { hasText: "the server does not answer; trying again" }).waitFor())
      })
    )
  })
})
