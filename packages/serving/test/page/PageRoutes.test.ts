import { request } from "node:http"
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as InferenceServer from "../../src/InferenceServer.ts"
import { fixtures } from "../Client.ts"

const live = { excludeTestServices: true }

/** Returns the status for a path sent verbatim, which fetch would normalise. */
const statusOf = Effect.fnUntraced(function* (path: string) {
  const { url } = yield* InferenceServer.InferenceServer
  return yield* Effect.callback<number | undefined>((resume) => {
    const { hostname, port } = new URL(url)
    request({ hostname, port, path }, (response) => resume(Effect.succeed(response.resume().statusCode))).end()
  })
})

const get = Effect.fnUntraced(function* (path: string, headers: Readonly<Record<string, string>> = {}, method = "GET") {
  const { url } = yield* InferenceServer.InferenceServer
  return yield* Effect.promise(async () => {
    const response = await fetch(`${url}${path}`, { headers, method })
    return { status: response.status, headers: response.headers, text: await response.text() }
  })
})

const browser = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" }

layer(InferenceServer.layer({ repository: fixtures, port: 0, executionProviders: ["cpu"] }), live)("the page", (it) => {
  it.effect("is for browsers; others are told what the server speaks, as ever", () =>
    Effect.gen(function* () {
      const page = yield* get("/", browser)
      assert.deepStrictEqual([page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"])
      assert.include(page.text, "<title>Inference server</title>")
      for (const accept of ["*/*", "application/json"]) {
        const pointer = yield* get("/", { accept })
        assert.strictEqual(pointer.headers.get("content-type"), "application/json")
        assert.match(JSON.parse(pointer.text).message, /^this server speaks the Open Inference Protocol/)
        assert.include(pointer.headers.get("vary")!.toLowerCase(), "accept")
      }
    })
  )

  it.effect("lets nothing in but its own files, and itself into no frame", () =>
    Effect.gen(function* () {
      const { headers } = yield* get("/", browser)
      const policy = Object.fromEntries(
        headers
          .get("content-security-policy")!
          .split("; ")
          .map((rule) => [rule.split(" ")[0], rule.slice(rule.indexOf(" ") + 1)])
      )
      assert.deepStrictEqual(policy, {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'"
      })
      assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
      assert.strictEqual(headers.get("referrer-policy"), "no-referrer")
      assert.include(headers.get("vary")!.toLowerCase(), "accept")
    })
  )

  it.effect("has every file that it names, by relative addresses alone, and no script or style of its own", () =>
    Effect.gen(function* () {
      const { text } = yield* get("/", browser)
      assert.notMatch(text, /<style|style=|<script>| on\w+=|https?:/)
      const named = [...text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path]) => path!)
      assert.includeMembers(named, [
        "page/Page.js",
        "page/page.css",
        "page/uPlot.js",
        "page/uPlot.css",
        "page/icon.svg"
      ])
      for (const path of named) assert.strictEqual((yield* get(`/${path}`)).status, 200, path)
    })
  )

  it.effect("serves its modules as JavaScript: every one that another imports, without types", () =>
    Effect.gen(function* () {
      const seen = new Set<string>()
      const waiting = ["Page.js"]
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        if (seen.has(name)) continue
        seen.add(name)
        const { status, headers, text } = yield* get(`/page/${name}`)
        assert.deepStrictEqual([status, headers.get("content-type")], [200, "text/javascript; charset=utf-8"], name)
        assert.notMatch(text, /\binterface \w+|import type|: string\b/)
        waiting.push(...[...text.matchAll(/from "\.\/([^"]+)"/g)].map(([, name]) => name!))
      }
      assert.isAbove(seen.size, 8)
    })
  )

  it.effect("is asked for again only where it has changed", () =>
    Effect.gen(function* () {
      for (const [path, headers] of [["/", browser] as const, ["/page/Page.js", {}] as const]) {
        const first = yield* get(path, headers)
        const etag = first.headers.get("etag")!
        assert.match(etag, /^W\/"[\w-]{22}"$/)
        assert.strictEqual(first.headers.get("cache-control"), "no-cache")
        const again = yield* get(path, { ...headers, "if-none-match": `"other", ${etag}` })
        assert.deepStrictEqual([again.status, again.text, again.headers.get("etag")], [304, "", etag])
        assert.strictEqual((yield* get(path, { ...headers, "if-none-match": '"other"' })).status, 200)
      }
      const [page, script] = [yield* get("/", browser), yield* get("/page/Page.js")]
      assert.notStrictEqual(page.headers.get("etag"), script.headers.get("etag"))
    })
  )

  it.effect("goes out compressed, and answers HEAD", () =>
    Effect.gen(function* () {
      const { headers } = yield* get("/page/uPlot.js", { "accept-encoding": "gzip" })
      assert.strictEqual(headers.get("content-encoding"), "gzip")
      const head = yield* get("/page/Page.js", {}, "HEAD")
      assert.deepStrictEqual([head.status, head.text], [200, ""])
    })
  )

  it.effect("has no other file", () =>
    Effect.gen(function* () {
      const error = "the page has no such file; GET / is the page"
      for (const name of [
        "Nothing.ts",
        "tsconfig.json",
        "index.html",
        "..%2FPageRoutes.ts",
        "%2e%2e%2fPageRoutes.ts",
        "PageRoutes.ts"
      ]) {
        const { status, text } = yield* get(`/page/${name}`)
        assert.deepStrictEqual([name, status, JSON.parse(text)], [name, 404, { error }])
      }
      const { status, text } = yield* get("/page/Page.js", {}, "POST")
      assert.deepStrictEqual([status, JSON.parse(text)], [405, { error: "/page/:file takes GET; POST came; send GET" }])
    })
  )
})

layer(
  InferenceServer.layer({
    repository: fixtures,
    port: 0,
    executionProviders: ["cpu"],
    access: { all: Redacted.make("secret") }
  }),
  live
)("where a token opens all routes", (it) => {
  it.effect("the page comes without one, and nothing else does", () =>
    Effect.gen(function* () {
      for (const [path, headers] of [["/", browser] as const, ["/page/Page.js", {}] as const]) {
        assert.strictEqual((yield* get(path, headers)).status, 200, path)
      }
      for (const path of [
        "/",
        "/v2",
        "/page/../v2",
        "/page/%2e%2e/v2",
        "/page/x.y/../../v2",
        "/page",
        "/page/",
        "//",
        "/v2?/page/Page.js"
      ]) {
        assert.strictEqual(yield* statusOf(path), 401, path)
      }
      assert.strictEqual((yield* get("/v2", browser)).status, 401)
      assert.strictEqual((yield* get("/", browser, "POST")).status, 401)
    })
  )
})
