/**
 * `node src/limits.ts DEEP.onnx [SECONDS]`: the server at its limits: overload at five times its capacity, health checks while each inference takes
 * 100 ms, and raw tensors in batches of 64 compared with bare `session.run` calls on the same core. The server has one core and this client another.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { Agent, request } from "node:http"
import { cpus, loadavg } from "node:os"
import { fileURLToPath } from "node:url"
import { median } from "./Row.ts"

const [, , model = "", seconds = "60"] = process.argv
const cli = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url))
const loop = fileURLToPath(new URL("../../../packages/serving/test/fixtures/loop.onnx", import.meta.url))
const port = 18_474
const agent = new Agent({ keepAlive: true, maxSockets: 2_000 })

interface Answered {
  readonly status: number
  readonly ms: number
}

/** Sends one request and times it; a broken connection gives the status 0. */
const ask = (path: string, body?: Buffer, headers: Record<string, string> = {}): Promise<Answered> =>
  new Promise((resolve) => {
    const start = performance.now()
    const done = (status: number) => resolve({ status, ms: performance.now() - start })
    const method = body === undefined ? "GET" : "POST"
    const length = body === undefined ? {} : { "content-length": String(body.length) }
    const sent = request({ port, path, method, agent, headers: { ...headers, ...length } }, (answer) => {
      answer.resume()
      answer.on("end", () => done(answer.statusCode ?? 0))
    })
    sent.on("error", () => done(0))
    sent.end(body)
  })

const quantile = (answers: ReadonlyArray<Answered>, q: number): number =>
  answers.map(({ ms }) => ms).sort((a, b) => a - b)[Math.floor(q * (answers.length - 1))] ?? Number.NaN
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const serve = async (file: string): Promise<ChildProcess> => {
  const command = ["-c", "0", process.execPath, cli, "serve", file, "--port", String(port)]
  const server = spawn("taskset", command, { stdio: "ignore" })
  while ((await ask("/v2/health/ready")).status !== 200) await pause(10)
  return server
}
const stop = async (server: ChildProcess) => {
  server.kill()
  await once(server, "exit")
}
const residentMB = ({ pid }: ChildProcess): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000

/** Closed-loop load: `concurrency` clients, each sending its next request as soon as the last is answered. */
const closed = async (concurrency: number, ms: number, one: () => Promise<Answered>) => {
  const answers: Array<Answered> = []
  const end = performance.now() + ms
  const client = async () => {
    while (performance.now() < end) answers.push(await one())
  }
  await Promise.all(Array.from({ length: concurrency }, client))
  return answers
}

/** Open-loop load: a fixed number of requests per second, whether they are answered or not. */
const open = async (perSecond: number, ms: number, one: () => Promise<Answered>) => {
  const under: Array<Promise<Answered>> = []
  const start = performance.now()
  while (performance.now() - start < ms) {
    const due = ((performance.now() - start) / 1000) * perSecond
    while (under.length < due) under.push(one())
    await pause(2)
  }
  return Promise.all(under)
}

const json = (inputs: unknown) => Buffer.from(JSON.stringify({ inputs }))
const path = (file: string) => `/v2/models/${file.split("/").at(-1)!.replace(".onnx", "")}/infer`

const overload = async () => {
  const server = await serve(model)
  const data = Array.from({ length: 128 }, (_, i) => Math.sin(i))
  const body = json([{ name: "x", shape: [64, 2], datatype: "FP32", data }])
  const one = () => ask(path(model), body)
  await closed(16, 3_000, one)
  const at = await closed(16, 10_000, one)
  const capacity = at.length / 10
  const before = residentMB(server)
  const middle = pause(Number(seconds) * 500).then(() => residentMB(server))
  const over = await open(5 * capacity, Number(seconds) * 1_000, one)
  const ended = performance.now()
  let next = await one()
  while (next.status !== 200 || next.ms > 2 * quantile(at, 0.5)) next = await one()
  const recovery = performance.now() - ended
  const accepted = over.filter(({ status }) => status === 200)
  const refused = over.filter(({ status }) => status === 503)
  const after = residentMB(server)
  await stop(server)
  return [
    `capacity ${capacity.toFixed(0)} requests/s of 64 rows (16 connections), p99 ${quantile(at, 0.99).toFixed(1)} ms`,
    `at five times as many for ${seconds} s: ${accepted.length} answered (p99 ${quantile(accepted, 0.99).toFixed(1)} ms, × ${(quantile(accepted, 0.99) / quantile(at, 0.99)).toFixed(2)}), ${refused.length} refused with 503 (p99 ${quantile(refused, 0.99).toFixed(1)} ms), ${over.length - accepted.length - refused.length} otherwise`,
    `memory ${before.toFixed(0)} → ${(await middle).toFixed(0)} → ${after.toFixed(0)} MB; as quick as before ${recovery.toFixed(0)} ms after the end`
  ]
}

const health = async () => {
  const server = await serve(loop)
  const slow = (n: number) => {
    const body = json([
      { name: "n", shape: [], datatype: "INT64", data: [n] },
      { name: "x", shape: [1], datatype: "FP32", data: [0.5] }
    ])
    return ask(path(loop), body)
  }
  await slow(10_000)
  const n = Math.round(100_000_000 / (await slow(1_000_000)).ms)
  const checks = pause(500).then(() => closed(1, 9_000, () => pause(5).then(() => ask("/v2/health/ready"))))
  const inferences = await closed(4, 10_000, () => slow(n))
  const answers = await checks
  await stop(server)
  const each = (10_000 / inferences.length).toFixed(0)
  return [
    `health checks while inferences of ${each} ms run one after the other: p50 ${quantile(answers, 0.5).toFixed(1)} ms, p99 ${quantile(answers, 0.99).toFixed(1)} ms (${answers.length})`
  ]
}

/** Calls one session in a loop on the server's core; returns a function that measures calls per second. */
const bareCalls = async () => {
  const script = `
    import { InferenceSession, Tensor } from "@rai/onnxruntime"
    const session = await InferenceSession.create(${JSON.stringify(model)}, { intraOpNumThreads: 1 })
    const x = new Tensor("float32", Float32Array.from({ length: 128 }, (_, i) => Math.sin(i)), [64, 2])
    process.on("message", async (ms) => {
      const end = performance.now() + ms
      let calls = 0
      for (; performance.now() < end; calls++) await session.run({ x })
      process.send(calls * 1000 / ms)
    })`
  const args = ["-c", "0", process.execPath, "--input-type=module", "--eval", script]
  const cwd = fileURLToPath(new URL("..", import.meta.url))
  const calls = spawn("taskset", args, { cwd, stdio: ["ignore", "ignore", "inherit", "ipc"] })
  const perSecond = async (ms: number): Promise<number> => {
    calls.send(ms)
    const [said] = await once(calls, "message")
    return Number(said)
  }
  return { perSecond, end: () => stop(calls) }
}

const raw = async () => {
  const server = await serve(model)
  const asks = (rows: number) => {
    const data = Buffer.from(Float32Array.from({ length: 2 * rows }, (_, i) => Math.sin(i)).buffer)
    const parameters = { binary_data_size: data.length }
    const head = Buffer.from(
      JSON.stringify({
        inputs: [{ name: "x", shape: [rows, 2], datatype: "FP32", parameters }],
        parameters: { binary_data_output: true }
      })
    )
    const body = Buffer.concat([head, data])
    return () => ask(path(model), body, { "inference-header-content-length": String(head.length) })
  }
  const one = asks(64)
  const bare = await bareCalls()
  await bare.perSecond(1_000)
  // Warm-up with small requests: at 600 requests per second it would take minutes until V8 has compiled the code that answers them.
  await closed(16, 20_000, asks(1))
  await closed(16, 5_000, one)
  const ratios: Array<readonly [number, number]> = []
  for (let round = 0; round < 7; round++) {
    const calls = await bare.perSecond(4_000)
    const answers = await closed(16, 4_000, one)
    if (answers.some(({ status }) => status !== 200)) throw new Error("expected all to be answered")
    ratios.push([answers.length / 4, calls])
  }
  await stop(server)
  await bare.end()
  const middle = median(ratios.map(([ours, calls]) => ours / calls))
  const all = ratios.map(([ours, calls]) => `${ours.toFixed(0)} / ${calls.toFixed(0)}`).join(", ")
  return [
    `raw tensors, 64 rows a request, 16 connections, beside bare calls of one session on the same core: × ${middle.toFixed(3)} (requests a second in turn: ${all})`
  ]
}

execFileSync("taskset", ["-a", "-c", "-p", "1", String(process.pid)])
const machine = `${cpus()[0]?.model.trim()}, load ${loadavg()[0]!.toFixed(1)}; the server on one core, the client on another`
const lines = [
  machine,
  "",
  ...[...(await health()), ...(await raw()), ...(await overload())].map((line) => `- ${line}`)
]
writeFileSync(new URL("../results/limits.md", import.meta.url), `${lines.join("\n")}\n`)
console.log(lines.join("\n"))
agent.destroy()
