/**
 * The server's page for people: `/` where a browser asks for it, and its files under `/page/`. In a checkout its modules are served one by one, with
 * their types stripped; in the built package they are one file already.
 */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { createRequire, stripTypeScriptTypes } from "node:module"
import { basename } from "node:path"
import { Effect } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Answer from "../http/Answer.ts"

const entry = new URL("./browser/Page.ts", import.meta.url)
const document = new URL("./browser/index.html", import.meta.url)
const require = createRequire(import.meta.url)

const files = new Map<string, () => URL | string>([
  ["Page.js", () => entry],
  ["page.css", () => new URL("./browser/page.css", import.meta.url)],
  ["icon.svg", () => new URL("./browser/icon.svg", import.meta.url)],
  ["uPlot.js", () => require.resolve("uplot/dist/uPlot.iife.min.js")],
  ["uPlot.css", () => require.resolve("uplot/dist/uPlot.min.css")]
])

/** A module that the entry imports, where it has not been bundled with it. */
const beside = (name: string): URL | undefined =>
  entry.pathname.endsWith(".ts") && /^[A-Z][A-Za-z]*\.ts$/.test(name) ? new URL(name, entry) : undefined

const types: Readonly<Record<string, string>> = {
  html: "text/html",
  css: "text/css",
  svg: "image/svg+xml",
  js: "text/javascript",
  ts: "text/javascript"
}

interface Asset {
  readonly text: string
  readonly contentType: string
  readonly etag: string
}

const read = (file: URL | string): Asset => {
  const name = basename(typeof file === "string" ? file : file.pathname)
  const written = readFileSync(file, "utf8")
  const text = name.endsWith(".ts") ? stripTypeScriptTypes(written) : written
  const digest = createHash("sha256").update(text).digest("base64url").slice(0, 22)
  // Weak: the same text may go out compressed.
  return { text, contentType: `${types[name.split(".").at(-1)!]}; charset=utf-8`, etag: `W/"${digest}"` }
}

// Read when first requested: a server whose page nobody opens pays nothing for it.
const held = new Map<string, Asset>()

const asset = (name: string, file: URL | string) =>
  Effect.try({
    try: () => {
      const found = held.get(name) ?? read(file)
      held.set(name, found)
      return found
    },
    catch: () => unknown
  })

const unknown = Answer.error("the page has no such file; GET / is the page", 404)

const policy = [
  "default-src 'none'",
  ...["script-src", "style-src", "img-src", "connect-src"].map((source) => `${source} 'self'`),
  ...["base-uri", "form-action", "frame-ancestors"].map((source) => `${source} 'none'`)
].join("; ")

const headers = {
  "cache-control": "no-cache",
  "content-security-policy": policy,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
}

const accepts = (accept: string | undefined): boolean => accept?.includes("text/html") ?? false

const answer = Effect.fnUntraced(function* (name: string, file: URL | string, more: Readonly<Record<string, string>>) {
  const request = yield* HttpServerRequest.HttpServerRequest
  const { text, contentType, etag } = yield* asset(name, file)
  const own = { ...headers, ...more, etag }
  const known = request.headers["if-none-match"]?.split(",").some((tag) => tag.trim() === etag)
  return known
    ? HttpServerResponse.empty({ status: 304, headers: own })
    : HttpServerResponse.text(text, { contentType, headers: own })
}, Effect.catch(Effect.succeed))

const byAccept = { vary: "accept" }

/** Whether a request is for the page, which contains none of the server's data: it asks for a token itself where one is needed. */
export const isFor = (method: string | undefined, url: string | undefined, accept: string | undefined): boolean => {
  const [path = ""] = url?.split("?") ?? []
  return (
    (method === "GET" || method === "HEAD") &&
    (path === "/" ? accepts(accept) : /^\/page\/[A-Za-z]+\.[a-z]+$/.test(path))
  )
}

/** Routes of the page and its files; clients other than browsers are told at `/` what the server speaks. */
export const routes = (pointer: string) => {
  const home = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    accepts(request.headers.accept)
      ? answer("/", document, byAccept)
      : Effect.succeed(HttpServerResponse.setHeaders(Answer.json({ message: pointer }), byAccept))
  )
  const file = Effect.flatMap(HttpRouter.params, ({ file = "" }) => {
    const found = files.get(file)?.() ?? beside(file)
    return found === undefined ? Effect.succeed(unknown) : answer(file, found, {})
  })
  const get = <H>(path: HttpRouter.PathInput, handler: H) => ({ verbs: ["GET"] as const, path, handler })
  return [get("/", home), get("/page/:file", file)]
}
