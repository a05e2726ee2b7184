/**
 * The thread that holds one model's session: onnxruntime computes synchronously and would hold up all other requests on the main thread.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { availableParallelism } from "node:os"
import { dirname, join } from "node:path"
import { parentPort, workerData } from "node:worker_threads"
import { env, Halves, InferenceSession, listSupportedBackends, Tensor } from "@rai/onnxruntime"
import * as CudaProvider from "@rai/onnxruntime/cuda"
import { nul, type TensorData } from "../Datatype.ts"
import type {
  End,
  ExecutionProvider,
  FromThread,
  Refused,
  Run,
  RuntimeSpec,
  RuntimeTensor,
  Settings,
  ThreadData
} from "./Message.ts"
import { buffersOf } from "./Message.ts"

const say = (message: FromThread, transfer: ReadonlyArray<ArrayBuffer> = []) =>
  parentPort?.postMessage(message, transfer)
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

// Failures are reported by messages; the runtime's own lines on stderr would repeat them, with paths.
env.logLevel = "fatal"

/** Reads a file, even beyond the 2 GiB that node reads at once. */
const bytesOf = (file: string): Uint8Array => {
  const descriptor = openSync(file, "r")
  try {
    const bytes = new Uint8Array(fstatSync(descriptor).size)
    for (let done = 0, more = 1; more > 0 && done < bytes.length; done += more) {
      more = readSync(descriptor, bytes, done, Math.min(bytes.length - done, 2 ** 30), done)
      if (more === 0) throw new Error("a file of weights was cut short while it was read")
    }
    return bytes
  } finally {
    closeSync(descriptor)
  }
}

const create = ({ model, threads, weights = [] }: Settings, provider: ExecutionProvider) => {
  const [name, device] = provider.split(":")
  const options: InferenceSession.SessionOptions = {
    executionProviders: [name === "cuda" ? { name, deviceId: Number(device ?? 0) } : "cpu"],
    logSeverityLevel: 4,
    intraOpNumThreads: threads ?? availableParallelism(),
    // By default the runtime maps these files into memory: overwriting one would change what is served, and truncating one would end the whole
    // process.
    ...(typeof model === "string" && {
      // The runtime strips one leading «./», which may be part of the model's own path.
      externalData: weights.map((path) => ({ path: `./${path}`, data: bytesOf(join(dirname(model), path)) }))
    }),
    // A thread that spins while it waits takes the core from one that is answering.
    extra: { session: { intra_op: { allow_spinning: "0" }, inter_op: { allow_spinning: "0" } } }
  }
  return typeof model === "string" ? InferenceSession.create(model, options) : InferenceSession.create(model, options)
}

const open = async (settings: Settings) => {
  const refused: Array<Refused> = []
  // Given a list, the runtime does not fall back, and silently drops a name that its build does not know.
  const built = listSupportedBackends().map((backend) => backend.name)
  for (const provider of settings.providers) {
    try {
      const [name = ""] = provider.split(":")
      if (!built.includes(name)) throw new Error(CudaProvider.notBuilt)
      if (name === "cuda" && CudaProvider.missing() !== undefined) throw new Error("its library is missing")
      return { session: await create(settings, provider), provider, refused }
    } catch (error) {
      refused.push({ provider, text: textOf(error) })
    }
  }
  return { refused }
}

const specs = (metadata: ReadonlyArray<InferenceSession.ValueMetadata>): ReadonlyArray<RuntimeSpec> =>
  metadata.filter((value) => value.isTensor).map(({ name, type, shape }) => ({ name, type, shape }))

const opaque = (metadata: ReadonlyArray<InferenceSession.ValueMetadata>): ReadonlyArray<string> =>
  metadata.filter((value) => !value.isTensor).map(({ name }) => name)

const swap = (data: TensorData, from: string, to: string): TensorData =>
  Array.isArray(data) && data.some((text) => text.includes(from)) ? data.map((text) => text.replaceAll(from, to)) : data

const tensorOf = ({ type, data, dims }: RuntimeTensor): Tensor =>
  type === "float16"
    ? Halves.tensor(data as Uint16Array, dims)
    : new Tensor(type as Tensor.Type, swap(data, "\0", nul) as Tensor.DataType, dims)

const dataOf = ({ type, data }: Tensor): TensorData =>
  type === "float16" ? Halves.bits(data) : swap(data as TensorData, nul, "\0")

const run = async (session: InferenceSession, { inputs, outputs }: Run): Promise<ReadonlyArray<RuntimeTensor>> => {
  const feeds = inputs.map((input): [string, Tensor] => [input.name, tensorOf(input)])
  const results = await session.run(Object.fromEntries(feeds), outputs)
  return outputs.map((name) => {
    const result = results[name]!
    return { name, type: result.type, dims: result.dims, data: dataOf(result) }
  })
}

const data = workerData as ThreadData
const opened = await open(data)
if (opened.session === undefined) {
  say({ type: "refused", refused: opened.refused })
} else {
  const { session, provider, refused } = opened
  parentPort?.on("message", async (request: Run | End) => {
    if (request.type === "end") {
      await session.release()
      return parentPort?.close()
    }
    if (Atomics.load(data.ending, 0) !== 0) return
    try {
      const start = performance.now()
      const outputs = await run(session, request)
      const ns = Math.round((performance.now() - start) * 1e6)
      // Outputs that are copied rather than transferred stay in this thread's memory for a long time.
      say({ type: "outputs", id: request.id, outputs, ns }, buffersOf(outputs))
    } catch (error) {
      say({ type: "failed", id: request.id, text: textOf(error) })
    }
  })
  const { inputMetadata, outputMetadata } = session
  const runtimeVersion = env.versions.node ?? "unknown"
  say({
    type: "opened",
    provider,
    refused,
    runtimeVersion,
    inputs: specs(inputMetadata),
    outputs: specs(outputMetadata),
    opaque: { inputs: opaque(inputMetadata), outputs: opaque(outputMetadata) }
  })
}
