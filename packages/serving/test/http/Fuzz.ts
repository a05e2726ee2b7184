/**
 * Sends almost valid requests: `node test/http/Fuzz.ts http://127.0.0.1:8080 100000 [SEED]`, to a server with the models of test/triton.
 */
import { Agent, request } from "node:http"
import { connect } from "node:net"
import { deflateSync, gzipSync } from "node:zlib"

interface Sent {
  method: string
  path: string
  headers: Record<string, string>
  body: Buffer
}

export interface Outcome {
  readonly sent: number
  readonly statuses: Readonly<Record<string, number>>
  /** Answers that a server must not give. */
  readonly faults: ReadonlyArray<string>
}

/** Generates numbers from 0 to 1 from a seed (mulberry32). */
const generator = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const datatypes = [
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP32",
  "FP64",
  "BYTES"
]

const json = (model: string, inputs: ReadonlyArray<object>, rest: object = {}): Sent => ({
  method: "POST",
  path: `/v2/models/${model}/infer`,
  headers: {},
  body: Buffer.from(JSON.stringify({ id: "1", parameters: { timeout: 1_000_000 }, inputs, ...rest }))
})
const binary = (sent: Sent, tail: Buffer): Sent => ({
  ...sent,
  headers: { "inference-header-content-length": String(sent.body.length) },
  body: Buffer.concat([sent.body, tail])
})
const get = (path: string): Sent => ({ method: "GET", path, headers: {}, body: Buffer.alloc(0) })

const sums = ["INPUT0", "INPUT1"].map((name) => ({
  name,
  datatype: "INT32",
  shape: [1, 16],
  data: [...Array(16).keys()]
}))
const texts = ["INPUT0", "INPUT1"].map((name) => ({
  name,
  datatype: "BYTES",
  shape: [1, 16],
  data: Array(16).fill("7")
}))
const pixels = { name: "pixels", datatype: "FP32", shape: [1, 3, 8, 8] }
const kinds = [...datatypes, "FP16"].map((name) => ({
  name,
  datatype: name,
  shape: [0],
  parameters: { binary_data_size: 0 }
}))

const bases: ReadonlyArray<() => Sent> = [
  () => json("simple", sums),
  () => json("simple", sums, { outputs: [{ name: "OUTPUT1", parameters: { binary_data: true } }] }),
  () => json("simple", sums, { outputs: [{ name: "OUTPUT0", parameters: { classification: 2 } }] }),
  () => json("simple_string", texts),
  () => json("simple_identity", [{ name: "INPUT0", datatype: "BYTES", shape: [2, 1], data: [["ü"], ["\0"]] }]),
  () => json("image", [{ ...pixels, data: Array(192).fill(0.5) }]),
  () => binary(json("image", [{ ...pixels, parameters: { binary_data_size: 768 } }]), Buffer.alloc(768, 1)),
  () => binary(json("kinds", kinds, { outputs: [{ name: "INT64_out" }] }), Buffer.alloc(0)),
  () => ({ ...json("image", []), headers: { "inference-header-content-length": "0" }, body: Buffer.alloc(768, 2) }),
  () => get("/v2/models/simple/versions/1"),
  () => get("/v2/models/simple/stats"),
  () => ({ ...json("simple", []), path: "/v2/repository/index", body: Buffer.from('{"ready":true}') }),
  () => ({ ...json("simple", []), path: "/v2/repository/models/simple/load", body: Buffer.from('{"parameters":{}}') })
]

const tokens = [
  "null",
  "true",
  "NaN",
  "-Infinity",
  "1e999",
  "-0",
  "9223372036854775808",
  "1152921504606846978",
  "-1",
  "0.5",
  '"x"',
  '""',
  "[]",
  "{}",
  "[[",
  "]]",
  "{",
  "}",
  ",",
  ":",
  '"',
  "\\",
  "\\u0000",
  "\\ud800",
  "[".repeat(200),
  "1".repeat(400),
  '"binary_data_size":5',
  '"shape":[65536,65536]',
  '"shape":[]',
  '"datatype":"FP16"',
  '"data":null',
  '"parameters":{"shared_memory_region":"a"}',
  '"classification":99999999999',
  '"__proto__":{"inputs":1}',
  '"outputs":[{}]',
  '"id":7',
  "\u0000",
  "\ufeff",
  "\xff"
] // prettier-ignore

const segments = [
  "..",
  "%2e%2e%2f",
  "%00",
  "%",
  "%ff",
  "simple",
  "versions",
  "1",
  "",
  "infer",
  "load",
  "?a=b",
  "x".repeat(2000),
  "%2Fetc%2Fpasswd"
]

/** Makes the functions that draw random requests. */
const makeDraw = (random: () => number) => {
  const below = (n: number) => Math.floor(random() * n)
  const one = <A>(all: ReadonlyArray<A>): A => all[below(all.length)]!
  const spliced = (body: Buffer, at: number, remove: number, insert: Buffer) =>
    Buffer.concat([body.subarray(0, at), insert, body.subarray(at + remove)])
  const mutations: ReadonlyArray<(sent: Sent) => void> = [
    (sent) => {
      if (sent.body.length > 0) sent.body[below(sent.body.length)] = below(256)
    },
    (sent) => {
      sent.body = sent.body.subarray(0, below(sent.body.length + 1))
    },
    (sent) => {
      sent.body = spliced(sent.body, below(sent.body.length + 1), below(8), Buffer.from(one(tokens)))
    },
    (sent) => {
      const [at, length] = [below(sent.body.length + 1), below(60)]
      sent.body = spliced(sent.body, at, 0, sent.body.subarray(at, at + length))
    },
    // A whole value of the JSON for another.
    (sent) => {
      const text = sent.body.toString("latin1")
      const values = [...text.matchAll(/-?\d+(?:\.\d+)?|"[^"]*"|true|null/g)]
      if (values.length === 0) return
      const { 0: value, index } = one(values)
      sent.body = spliced(sent.body, index, value.length, Buffer.from(one(tokens)))
    },
    (sent) => {
      const length = one([
        "0",
        "1",
        String(sent.body.length),
        String(below(2000)),
        "99999999999",
        "-1",
        "1e3",
        "0x1",
        " 5",
        "x"
      ])
      sent.headers["inference-header-content-length"] = length
    },
    (sent) => {
      sent.headers["x-request-timeout-ms"] = one(["0", "1", "0.001", "-1", "1e9", "NaN", "999999999"])
    },
    (sent) => {
      const [coding, apply] = one([
        ["gzip", gzipSync],
        ["deflate", deflateSync],
        ["gzip", (body: Buffer) => body],
        ["br", (body: Buffer) => body],
        ["deflate", gzipSync]
      ] as const)
      sent.headers["content-encoding"] = coding
      sent.body = apply(sent.body)
    },
    (sent) => {
      sent.headers["accept-encoding"] = one(["gzip", "deflate;q=0", "*;q=0.1", ",,;q=,", "identity"])
    },
    (sent) => {
      const parts = sent.path.split("/")
      parts.splice(1 + below(parts.length), below(2), one(segments))
      sent.path = parts.join("/") || "/"
    },
    (sent) => {
      sent.method = one(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"])
    },
    (sent) => {
      sent.headers.authorization = one(["Bearer", "Bearer x", "Basic eA==", "x".repeat(3000)])
    }
  ]
  const draw = (): Sent => {
    const sent = one(bases)()
    for (let i = below(4); i >= 0; i--) one(mutations)(sent)
    return sent
  }
  /** Draws a request as raw bytes, head included. */
  const bytes = (): Buffer => {
    const { method, path, body } = draw()
    const length = one([String(body.length), "5", "99999999999", "-1", `${body.length}\r\ntransfer-encoding: chunked`])
    const head = Buffer.from(
      `${method} ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n`
    )
    const text = Buffer.concat([head, body])
    text[below(text.length)] = below(256)
    return text
  }
  return { random, draw, bytes }
}

const leak =
  /node_modules|onnxruntime_src|\/(?:work|home|root|tmp|usr|opt|var|Users)\/|\b[A-Z]:\\\\\w|\.[jt]s:\d|at \w+ \(/

// Whether mutation has left the request's timeout of one second intact.
const hasTime = ({ body, headers }: Sent): boolean =>
  !("x-request-timeout-ms" in headers) && body.includes('"timeout":1000000')

const fault = (status: number, body: string, inTime: boolean): string | undefined => {
  const mayBe = [501, 503, ...(inTime ? [] : [504])]
  if (status >= 500 && !mayBe.includes(status)) return `status ${status}: ${body.slice(0, 200)}`
  if (status >= 400 && leak.test(body)) return `a path in ${body.slice(0, 300)}`
  return undefined
}

const exchange = (url: string, agent: Agent, { method, path, headers, body }: Sent) =>
  new Promise<readonly [status: number, text: string]>((resolve) => {
    const { hostname, port } = new URL(url)
    const sent = request(
      { hostname, port, agent, method, path, headers: { ...headers, "content-length": body.length } },
      (answer) => {
        const chunks: Array<Buffer> = []
        answer.on("data", (chunk) => chunks.push(chunk))
        answer.on("end", () => resolve([answer.statusCode ?? 0, Buffer.concat(chunks).toString("latin1")]))
        answer.on("error", () => resolve([0, ""]))
      }
    )
    sent.on("error", () => resolve([0, ""]))
    sent.setTimeout(20_000, () => resolve([599, "no answer within 20 s"]))
    sent.end(body)
  })

const overSocket = (url: string, bytes: Buffer) =>
  new Promise<readonly [status: number, text: string]>((resolve) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    let said = ""
    const end = () => {
      socket.destroy()
      resolve([Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1] ?? 0), said])
    }
    socket.on("data", (chunk) => {
      said += chunk.toString("latin1")
    })
    socket.on("error", end)
    socket.on("close", end)
    socket.setTimeout(100, end)
    socket.write(bytes)
  })

/** Sends `count` requests, some concurrently; counts answers by status (0 is a closed connection) and collects faults. */
export const fuzz = async (url: string, count: number, seed: number): Promise<Outcome> => {
  const { random, draw, bytes } = makeDraw(generator(seed))
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const statuses: Record<string, number> = {}
  const faults: Array<string> = []
  let left = count
  const lane = async () => {
    while (left > 0) {
      left -= 1
      const number = count - left
      const drawn = random() < 0.02 ? bytes() : draw()
      const [status, body] = await (Buffer.isBuffer(drawn) ? overSocket(url, drawn) : safely(url, agent, drawn))
      statuses[status] = (statuses[status] ?? 0) + 1
      const wrong = fault(status, body, !Buffer.isBuffer(drawn) && hasTime(drawn))
      if (wrong !== undefined) faults.push(`request ${number}: ${wrong}`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, lane))
  agent.destroy()
  const [live] = await exchange(url, new Agent(), get("/v2/health/live"))
  if (live !== 200) faults.push(`after all: /v2/health/live answers ${live}`)
  return { sent: count, statuses, faults }
}

// Node's client itself rejects some of the paths, so those are sent over a raw socket.
const safely = (url: string, agent: Agent, sent: Sent) =>
  /[^\x21-\x7e]/.test(sent.path)
    ? overSocket(url, Buffer.from(`${sent.method} ${sent.path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`))
    : exchange(url, agent, sent)

const [, script = "", url, count = "100000", seed = "1"] = process.argv
if (import.meta.url.endsWith(script) || script.endsWith("Fuzz.ts")) {
  if (url === undefined) throw new Error("give the server's URL")
  const outcome = await fuzz(url, Number(count), Number(seed))
  console.log(JSON.stringify({ ...outcome, faults: outcome.faults.slice(0, 20) }, undefined, 2))
  process.exitCode = outcome.faults.length === 0 ? 0 : 1
}
