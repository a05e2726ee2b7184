/**
 * `rai serve` as a separate process: how it stops, what it watches, whom it lets in.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { Agent, createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http"
import { request as httpsRequest } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import * as CommandLine from "./CommandLine.ts"

const fixtures = fileURLToPath(new URL("../../../packages/serving/test/fixtures", import.meta.url))

const tensor = (name: string, datatype: string, shape: ReadonlyArray<number>, data: ReadonlyArray<number>) => ({
  ...{ name, datatype, shape, data }
})
const sigmoid = { inputs: [tensor("x", "FP32", [2, 2], [0.5, 1, -1, 0])] }
const loop = (turns: number) => ({ inputs: [tensor("n", "INT64", [], [turns]), tensor("x", "FP32", [1], [1])] })

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

interface Traces {
  readonly resourceSpans: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{
      readonly spans: ReadonlyArray<{
        readonly traceId: string
        readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: object }>
      }>
    }>
  }>
}

/** Starts a server; `stderr` collects what it prints. */
const serve = async (args: ReadonlyArray<string> = [], env: NodeJS.ProcessEnv = {}) => {
  const child = spawn(process.execPath, [CommandLine.main, "serve", fixtures, "--port", "0", ...args], {
    env: { ...process.env, NO_COLOR: "1", ...env }
  })
  const log = { stderr: "" }
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (bytes) => {
      log.stderr += bytes
      const found = /serving 4 models at (\S+):/.exec(log.stderr)
      if (found !== null) resolve(found[1]!)
    })
    child.on("exit", () => reject(new Error(log.stderr)))
  })
  const exit = once(child, "exit") as Promise<[code: number | null, signal: string | null]>
  const agent = new Agent({ keepAlive: true })
  const ask = (path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = { agent, method: body === undefined ? "GET" : "POST", headers }
      const request = httpRequest(`${url}${path}`, options, (response) => {
        let text = ""
        response.setEncoding("utf8").on("data", (part) => {
          text += part
        })
        response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, text }))
        response.on("error", reject)
      })
      request.on("error", reject)
      request.end(body === undefined ? undefined : JSON.stringify(body))
    })
  return { child, url, log, exit, ask }
}

const infer = "/v2/models/sigmoid/infer"

/** Waits until something holds, however busy the machine is. */
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Lets a server compute what takes minutes; there is a second such request, whose waiting shows that the first is under way. */
const keepBusy = async ({ ask }: Awaited<ReturnType<typeof serve>>) => {
  for (let i = 0; i < 2; i++) ask("/v2/models/loop/infer", loop(2_000_000_000)).catch(() => undefined)
  let waiting = 0
  while (waiting !== 1) waiting = JSON.parse((await ask("/v2/models/loop/stats")).text).model_stats[0].queue.waiting
}

describe("told to stop", () => {
  test("is not ready but live, answers every request that comes, and ends with code 0", async () => {
    const { ask, child, exit, log } = await serve(["--grace", "20"])
    const seen: Array<number> = []
    const long = ask("/v2/models/loop/infer", loop(2_000_000))
    let ready = 200
    let live = 200
    const load = Array.from({ length: 32 }, async () => {
      while (ready === 200) seen.push((await ask(infer, sigmoid)).status)
      seen.push((await ask(infer, sigmoid)).status) // one more each, from clients that have not looked yet
    })
    await until(() => seen.length > 200)
    child.kill("SIGTERM")
    while (ready === 200) ready = (await ask("/v2/health/ready")).status
    live = (await ask("/v2/health/live")).status
    await Promise.all(load)
    expect([ready, live]).toEqual([503, 200])
    expect(seen.filter((status) => status !== 200)).toEqual([])
    expect((await long).status).toBe(200)
    expect(await exit).toEqual([0, null])
    expect(log.stderr).toContain("stopping: not ready from now on")
  })

  test("lets clients go that ask on and on, and still loses no answer that it owes", async () => {
    const { ask, child, exit } = await serve(["--grace", "10"])
    const outcomes: Array<number | string> = []
    const load = Array.from({ length: 8 }, async () => {
      for (;;) {
        const outcome = await ask(infer, sigmoid).then(
          ({ status }) => status,
          (error: NodeJS.ErrnoException) => String(error.code)
        )
        outcomes.push(outcome)
        if (outcome !== 200) return
      }
    })
    await until(() => outcomes.length > 100)
    const told = performance.now()
    child.kill("SIGTERM")
    expect(await exit).toEqual([0, null])
    expect(performance.now() - told).toBeLessThan(10_000)
    await Promise.all(load)
    // Each client meets the closed port once, where no request was read: nobody was owed an answer.
    expect(outcomes.filter((outcome) => outcome !== 200).length).toBe(8)
    expect(outcomes.filter((outcome) => ![200, "ECONNREFUSED", "ECONNRESET"].includes(outcome))).toEqual([])
  })

  test("ends at once when told twice, and when its time is over", async () => {
    const twice = await serve()
    await keepBusy(twice)
    twice.child.kill("SIGTERM")
    await until(() => twice.log.stderr.includes("stopping: "))
    twice.child.kill("SIGTERM")
    expect(await twice.exit).toEqual([null, "SIGTERM"])
    const late = await serve(["--grace", "2"])
    await keepBusy(late)
    const told = performance.now()
    late.child.kill("SIGTERM")
    expect(await late.exit).toEqual([null, "SIGKILL"])
    expect(performance.now() - told).toBeLessThan(10_000)
    expect(late.log.stderr).toContain(
      "error: expected to end within 2s, but requests still run; killed without their answers"
    )
  })
})

describe("watched", () => {
  test("says in /metrics what it did, as Prometheus reads it", async () => {
    const { ask, child, exit } = await serve(["--name", "triton"])
    expect(JSON.parse((await ask("/v2")).text).name).toBe("triton")
    for (let i = 0; i < 3; i++) await ask(infer, sigmoid)
    await ask(infer, { inputs: [] })
    const { headers, text } = await ask("/metrics")
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8")
    const value = (sample: string) => {
      const line = text.split("\n").find((each) => each.startsWith(`${sample} `))
      return line === undefined ? undefined : Number(line.slice(sample.length))
    }
    const labels = 'model="sigmoid",version="1"'
    expect(value(`nv_inference_request_success{${labels}}`)).toBe(3)
    expect(value(`nv_inference_count{${labels}}`)).toBe(6)
    expect(value(`nv_inference_exec_count{${labels}}`)).toBe(3)
    expect(value(`nv_inference_pending_request_count{${labels}}`)).toBe(0)
    expect(value(`rai_inference_batch_rows_bucket{${labels},le="1"}`)).toBe(0)
    expect(value(`rai_inference_batch_rows_bucket{${labels},le="2"}`)).toBe(3)
    expect(value(`rai_inference_batch_rows_sum{${labels}}`)).toBe(6)
    expect(value(`nv_inference_first_response_histogram_ms_count{${labels}}`)).toBe(3)
    expect(value(`rai_model_provider{${labels},provider="cpu"}`)).toBe(1)
    for (const part of ["request", "queue", "compute_input", "compute_infer", "compute_output"]) {
      expect(value(`nv_inference_${part}_duration_us{${labels}}`)).toBeGreaterThanOrEqual(0)
    }
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(10e6)
    child.kill("SIGTERM")
    expect((await exit)[0]).toBe(0)
    const checked = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" })
    if (checked.error !== undefined) return console.log("promtool is not on the PATH: its check is left out")
    // 3 are complaints of style: Triton's names and prom-client's are not ours to choose.
    expect([0, 3]).toContain(checked.status)
    const complaints = checked.stderr.split("\n").filter((line) => line !== "")
    expect(complaints.filter((line) => !/^(nv_inference|nodejs)_/.test(line))).toEqual([])
  })

  test("logs as JSON what is asked for, with the request's id, and sends spans to a collector", async () => {
    const bodies: Array<string> = []
    const collector = createServer((request, response) => {
      let body = ""
      request.on("data", (part) => {
        body += part
      })
      request.on("end", () => {
        bodies.push(body)
        response.setHeader("content-type", "application/json").end("{}")
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve))
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
    const { ask, child, exit, log } = await serve(["--log-format", "json", "--access-log"], {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint
    })
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    const traceparent = `00-${trace}-00f067aa0ba902b7-01`
    const given = await ask(infer, sigmoid, { "x-request-id": "order-66", traceparent })
    expect([given.status, given.headers["x-request-id"]]).toEqual([200, "order-66"])
    const made = await ask("/v2/models/moons/infer", sigmoid, { "x-request-id": "two\twords" })
    expect(made.status).toBe(404)
    expect(made.headers["x-request-id"]).toMatch(/^[\da-f-]{36}$/)
    expect((await ask("/v2/health/live")).headers["x-request-id"]).toBeUndefined()
    child.kill("SIGTERM")
    expect((await exit)[0]).toBe(0)
    collector.close()
    const lines = log.stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    const { annotations } = lines.find((line) => line.annotations.requestId === "order-66")
    expect(annotations).toMatchObject({ protocol: "http", model: "sigmoid", version: "1", status: 200, rows: 2 })
    expect(annotations.operation).toBe("POST /v2/models/{model}/infer")
    const spans = bodies.flatMap((body) => (JSON.parse(body) as Traces).resourceSpans[0]!.scopeSpans[0]!.spans)
    const span = spans.find(({ traceId }) => traceId === trace)!
    expect(span).toMatchObject({ name: "POST /v2/models/{model}/infer", parentSpanId: "00f067aa0ba902b7", kind: 2 })
    const attributes = Object.fromEntries(span.attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
    expect(attributes).toMatchObject({
      "http.response.status_code": 200,
      "rai.model": "sigmoid",
      "rai.version": "1",
      "rai.batch_size": 2,
      "rai.request_id": "order-66"
    })
    expect(spans.length).toBe(2)
  })
})

describe("traces that nobody takes", () => {
  test("are told of in one line, and requests are answered", async () => {
    const { ask, child, exit, log } = await serve([], {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
      OTEL_BSP_SCHEDULE_DELAY: "100"
    })
    const began = performance.now()
    while (!log.stderr.includes("WARN") && performance.now() - began < 20_000) {
      expect((await ask(infer, sigmoid)).status).toBe(200)
    }
    // It is tried thrice again, after a second each.
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect((await ask(infer, sigmoid)).status).toBe(200)
    child.kill("SIGTERM")
    expect((await exit)[0]).toBe(0)
    expect(log.stderr.split("\n").filter((line) => !line.includes(" INFO "))).toEqual([
      expect.stringMatching(
        /WARN \S+ the collector at http:\/\/127\.0\.0\.1:1\/v1\/traces does not take traces: it is not reached: bad port; requests are answered all the same/
      ),
      ""
    ])
  })
})

describe("whom it lets in", () => {
  test("asks for the tokens that files and the environment hold", async () => {
    const place = CommandLine.folder()
    writeFileSync(join(place, "token"), "everybody's\n")
    const { ask, child, exit } = await serve(["--token-file", join(place, "token"), "--model-control", "explicit"], {
      RAI_ADMIN_TOKEN: "the admin's".replace(" ", "-")
    })
    const as = (token: string) => ({ authorization: `Bearer ${token}` })
    const statuses = [
      (await ask("/v2")).status,
      (await ask("/v2", undefined, as("everybody's"))).status,
      (await ask("/v2/repository/models/sigmoid/unload", {}, as("everybody's"))).status,
      (await ask("/v2/repository/models/sigmoid/unload", {}, as("the-admin's"))).status,
      (await ask("/v2/models/sigmoid", undefined, as("the-admin's"))).status
    ]
    expect(statuses.slice(0, 4)).toEqual([401, 200, 401, 200])
    expect(statuses[4]).not.toBe(200)
    child.kill("SIGTERM")
    expect((await exit)[0]).toBe(0)
  })

  test("speaks TLS where it is given a certificate", async () => {
    const place = CommandLine.folder()
    const [key, certificate] = [join(place, "key.pem"), join(place, "certificate.pem")]
    const made = spawnSync("openssl", ["version"])
    if (made.error !== undefined) return console.log("openssl is not on the PATH: this test is left out")
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    const options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate]
    execFileSync("openssl", ["req", ...options, ...subject], { stdio: "ignore" })
    const { child, exit, url } = await serve(["--tls-cert", certificate, "--tls-key", key])
    expect(url).toMatch(/^https:/)
    const status = await new Promise((resolve, reject) => {
      const ca = execFileSync("cat", [certificate])
      httpsRequest(`${url}/v2/health/ready`, { ca }, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end()
    })
    expect(status).toBe(200)
    child.kill("SIGTERM")
    expect((await exit)[0]).toBe(0)
  })

  test("refuses flags that do not fit, in one line and with code 2", async () => {
    const wrong = async (...args: ReadonlyArray<string>) => {
      const { code, stderr } = await CommandLine.rai("serve", fixtures, ...args)
      return [code, stderr.trim()]
    }
    expect(await wrong("--model-control", "explicit")).toEqual([
      2,
      "error: expected an admin token for --model-control explicit, but neither --admin-token-file nor $RAI_ADMIN_TOKEN came; give one of the two"
    ])
    expect(await wrong("--tls-cert", "/etc/hostname")).toEqual([
      2,
      "error: expected --tls-cert and --tls-key together, but --tls-cert came alone; give both files"
    ])
    expect(await wrong("--grace", "0")).toEqual([
      2,
      "error: --grace: expected a whole number from 1 to 2147483, but «0» came; `rai serve --help` says more"
    ])
    for (const [variable, value, expected] of [
      ["OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense", "a valid URL string"],
      ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "nonsense", "a valid URL string"],
      ["OTEL_EXPORTER_OTLP_COMPRESSION", "br", '"gzip" | "none"']
    ] as const) {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", [variable]: value }
      await expect(serve([], env)).rejects.toThrow(
        `error: expected ${expected} in $${variable}, but something else came; correct it, or leave it out`
      )
    }
    const [code, line] = await wrong("--require", "cuda")
    if (code !== 0) expect(line).toMatch(/^error: .*CUDA/i)
  })
})
