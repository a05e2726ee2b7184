import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect, constants } from "node:http2"
import { request } from "node:https"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { assert, it } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Layer, Scope } from "effect"
import * as InferenceServer from "../../src/InferenceServer.ts"
import * as Raw from "../grpc/Raw.ts"
import { models } from "./Ask.ts"

/** Makes, with OpenSSL, a certificate authority and the keys and certificates it signed for a server and a client. */
const certificates = Effect.acquireRelease(
  Effect.sync(() => {
    const folder = mkdtempSync(join(tmpdir(), "tls-"))
    const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" })
    const fresh = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj"]
    openssl(...fresh, "/CN=authority", "-x509", "-days", "2", "-keyout", "authority.key", "-out", "authority.pem")
    writeFileSync(join(folder, "names"), "subjectAltName=IP:127.0.0.1")
    for (const name of ["server", "client"]) {
      openssl(...fresh, `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`)
      const signed = ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-extfile", "names"]
      openssl("x509", "-req", "-in", `${name}.csr`, "-days", "2", ...signed, "-out", `${name}.pem`)
    }
    const read = (name: string) => readFileSync(join(folder, name), "utf8")
    return {
      folder,
      authority: read("authority.pem"),
      server: { key: read("server.key"), certificate: read("server.pem") },
      client: { key: read("client.key"), cert: read("client.pem") }
    }
  }),
  ({ folder }) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const serve = (tls: InferenceServer.Options["tls"], options: Partial<InferenceServer.Options> = {}) =>
  InferenceServer.layer({ repository: models, port: 0, executionProviders: ["cpu"], tls, ...options })
const path = "/v2/models/custom_identity_int32/infer"
const body = JSON.stringify({ inputs: [{ name: "INPUT0", datatype: "INT32", shape: [1, 3], data: [1, 2, 3] }] })

const overHttp1 = Effect.fnUntraced(function* (options: object) {
  const { url } = yield* InferenceServer.InferenceServer
  assert.match(url, /^https:/)
  return yield* Effect.callback<string>((resume) => {
    const sent = request(`${url}${path}`, { method: "POST", ...options }, (response) => {
      response.on("data", (chunk) => resume(Effect.succeed(`${response.httpVersion} ${response.statusCode} ${chunk}`)))
    })
    sent.on("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code ?? error.message)))
    sent.end(body)
  })
})

const overHttp2 = Effect.fnUntraced(function* (options: object, target: string, method: string, sent?: string) {
  const { url } = yield* InferenceServer.InferenceServer
  return yield* Effect.callback<string>((resume) => {
    const session = connect(url, options)
    const stream = session.request({ ":path": target, ":method": method, "accept-encoding": "identity" })
    let said = ""
    let status: unknown
    stream.on("response", (headers) => {
      status = headers[":status"]
    })
    stream.on("data", (chunk) => {
      said += chunk
    })
    stream.on("end", () => {
      session.close()
      resume(Effect.succeed(`${status} ${said}`))
    })
    stream.on("error", (error) => resume(Effect.succeed(error.message)))
    stream.end(sent)
  })
})

const outputs = '"outputs":[{"name":"OUTPUT0","datatype":"INT32","shape":[1,3],"data":[1,2,3]}]}'

// Without OpenSSL there are no certificates.
const possible = spawnSync("openssl", ["version"]).status === 0

it.live.runIf(possible)("speaks HTTP/1.1 and HTTP/2 over TLS", () =>
  Effect.gen(function* () {
    const { authority, server } = yield* certificates
    yield* Effect.gen(function* () {
      const ca = { ca: authority }
      const answer = `200 {"model_name":"custom_identity_int32","model_version":"1",${outputs}`
      assert.strictEqual(yield* overHttp1(ca), `1.1 ${answer}`)
      assert.strictEqual(yield* overHttp2(ca, path, "POST", body), answer)
      assert.strictEqual(yield* overHttp2(ca, "/v2/health/live", "GET"), '200 {"live":true}')
      assert.match(yield* overHttp2(ca, path, "POST", "{"), /^400 \{"error":"the body is not JSON/)
      assert.match(yield* overHttp2(ca, "/nowhere", "GET"), /^404 \{"error"/)
      assert.strictEqual(yield* overHttp1({}), "UNABLE_TO_VERIFY_LEAF_SIGNATURE")
    }).pipe(Effect.provide(serve(server)))
  }).pipe(Effect.scoped)
)

it.live.runIf(possible)("refuses clients without a certificate where it wants one", () =>
  Effect.gen(function* () {
    const { authority, client, server } = yield* certificates
    yield* Effect.gen(function* () {
      assert.match(yield* overHttp1({ ca: authority, ...client }), /^1\.1 200 /)
      assert.match(yield* overHttp1({ ca: authority }), /CERTIFICATE_REQUIRED|ECONNRESET|EPIPE/)
    }).pipe(Effect.provide(serve({ ...server, clientAuthority: authority })))
  }).pipe(Effect.scoped)
)

/** Sends a body over HTTP/2 and resets its stream after some milliseconds, before its end or before the answer. */
const abandon = Effect.fnUntraced(function* (
  ca: string,
  sent: Uint8Array,
  whole: boolean,
  millis: number,
  headers = {}
) {
  const { url } = yield* InferenceServer.InferenceServer
  yield* Effect.callback<void>((resume) => {
    const session = connect(url, { ca })
    const stream = session.request({ ":path": path, ":method": "POST", ...headers })
    stream.on("error", () => undefined)
    stream.on("close", () => {
      session.close()
      resume(Effect.void)
    })
    const reset = () => setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), millis)
    if (whole) stream.end(sent, reset)
    else stream.write(sent, reset)
  })
})

it.live.runIf(possible)("gives back what clients of HTTP/2 held that went away", () =>
  Effect.gen(function* () {
    const { authority, server } = yield* certificates
    const part = Buffer.alloc(400_000)
    // Half sent; all sent, and taken back while it is unpacked.
    const packed = gzipSync(Buffer.alloc(8_000_000, body))
    yield* Effect.gen(function* () {
      for (let i = 0; i < 20; i++) {
        yield* abandon(authority, part, false, 5, { "content-length": "1000000" })
        yield* abandon(authority, packed, true, i % 10, { "content-encoding": "gzip" })
      }
      // Of more bytes than each of them had, it would give way as long as they hold theirs.
      const heavy = body.padEnd(1_500_000)
      const served = Effect.map(overHttp2({ ca: authority }, path, "POST", heavy), (said) => said.startsWith("200 "))
      while (!(yield* served)) yield* Effect.sleep("50 millis")
    }).pipe(Effect.provide(serve(server, { limits: { heldBytes: 9_000_000 } })))
  }).pipe(Effect.scoped)
)

it.live.runIf(possible)("bounds the time of a whole request over HTTP/2 too", () =>
  Effect.gen(function* () {
    const { authority, server } = yield* certificates
    yield* Effect.gen(function* () {
      const { url } = yield* InferenceServer.InferenceServer
      const session = connect(url, { ca: authority })
      const stream = session.request({ ":path": path, ":method": "POST" })
      stream.on("error", () => undefined)
      const drip = setInterval(() => stream.write(" "), 50)
      yield* Effect.callback<void>((resume) => void stream.on("close", () => resume(Effect.void)))
      clearInterval(drip)
      session.close()
      assert.strictEqual(stream.rstCode, constants.NGHTTP2_CANCEL)
    }).pipe(Effect.provide(serve(server, { limits: { headersMillis: 300, requestMillis: 600 } })))
  }).pipe(Effect.scoped)
)

it.live.runIf(possible)("does not wait for streams of HTTP/2 that stay half sent when it closes", () =>
  Effect.gen(function* () {
    const { authority, server } = yield* certificates
    const scope = yield* Scope.make()
    const serving = serve(server, { grace: "10 minutes" })
    const { url } = Context.get(yield* Layer.buildWithScope(serving, scope), InferenceServer.InferenceServer)
    const begin = Effect.fnUntraced(function* (part: string, of = path) {
      const session = connect(url, { ca: authority })
      const stream = session.request({ ":path": of, ":method": "POST" })
      let status: unknown
      stream.on("error", () => undefined)
      stream.on("response", (headers) => {
        status = headers[":status"]
      })
      const closed = new Promise<unknown>((resolve) => {
        stream.resume().on("close", () => resolve([status, stream.rstCode]))
      })
      yield* Raw.write(stream, Buffer.from(part))
      return { stream, closed: Effect.promise(() => closed) }
    })
    const silent = yield* begin("{")
    const other = yield* begin("{", "/v2/repository/index")
    const steady = yield* begin(body.slice(0, 10))
    let sent = 10
    const more = setInterval(() => {
      if (sent < body.length) steady.stream.write(body.slice(sent, ++sent))
      else steady.stream.end()
    }, 40)
    const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
    clearInterval(more)
    assert.isBelow(Duration.toMillis(took), 50_000)
    const refused = [undefined, constants.NGHTTP2_REFUSED_STREAM]
    assert.deepStrictEqual(yield* Effect.all([silent.closed, other.closed, steady.closed]), [
      refused,
      refused,
      [200, constants.NGHTTP2_NO_ERROR]
    ])
  }).pipe(Effect.scoped)
)
