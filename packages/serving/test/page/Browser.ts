/**
 * A real browser: this machine's Chromium, if there is one.
 */
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import { assert } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { type Browser as Chromium, chromium, type Page } from "playwright-core"
import * as InferenceServer from "../../src/InferenceServer.ts"

const isProgram = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Path of Chromium, from CHROMIUM or the PATH. */
export const program: string | undefined =
  process.env.CHROMIUM ||
  (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name)))
    .find(isProgram)

/** Names a group of tests, saying so where it is skipped. */
export const unless = (name: string): string =>
  program === undefined ? `${name} (skipped: no Chromium on the PATH; install one, or name it in CHROMIUM)` : name

/** A running browser. */
export class Browser extends Context.Service<Browser, Chromium>()("test/Browser") {
  static readonly layer = Layer.effect(
    Browser,
    Effect.acquireRelease(
      Effect.promise(() => chromium.launch({ executablePath: program!, args: ["--no-sandbox"] })),
      (browser) => Effect.promise(() => browser.close())
    )
  )
}

/** How a page is opened. */
export interface Options {
  readonly path?: string
  readonly dark?: boolean
  readonly width?: number
  readonly height?: number
  /** Console messages that are allowed. */
  readonly expected?: RegExp
  /** Runs before the page is opened. */
  readonly prepare?: (page: Page) => Promise<void>
}

/** Opens the server's page; fails when the scope closes if the page had errors or sent requests to any other host. */
export const open = Effect.fnUntraced(function* ({ path = "/", dark = false, ...options }: Options = {}) {
  const { url } = yield* InferenceServer.InferenceServer
  const browser = yield* Browser
  const wrong: Array<string> = []
  const page = yield* Effect.acquireRelease(
    Effect.promise(() =>
      browser.newPage({
        colorScheme: dark ? "dark" : "light",
        viewport: { width: options.width ?? 1280, height: options.height ?? 900 }
      })
    ),
    (page) =>
      Effect.promise(async () => {
        await page.unrouteAll({ behavior: "ignoreErrors" })
        await page.close()
        assert.deepStrictEqual(wrong, [])
      })
  )
  page.on("console", (message) => {
    if (!options.expected?.test(message.text())) wrong.push(`${message.type()}: ${message.text()}`)
  })
  page.on("pageerror", (error) => wrong.push(String(error)))
  page.on("request", (request) => {
    if (!request.url().startsWith(`${url}/`)) wrong.push(`a request to ${request.url()}`)
  })
  yield* Effect.promise(async () => {
    await options.prepare?.(page)
    await page.goto(`${url}${path}`)
  })
  return page
})
