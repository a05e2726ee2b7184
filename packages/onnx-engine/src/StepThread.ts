/**
 * A thread that does its part of each run: onnxruntime and the passes compute synchronously, so on the main thread they would block everything
 * else.
 */
/// <reference path="./webassembly.d.ts" />
import { type MessagePort, parentPort, Worker, workerData } from "node:worker_threads"
import { env, InferenceSession } from "@rai/onnxruntime"
import type { Device, FromThread, ThreadData, ToThread } from "./Message.ts"
import * as Part from "./Part.ts"
import * as RuntimeSessions from "./RuntimeSessions.ts"

const { device, model, number, port = parentPort! } = workerData as ThreadData

// Errors are reported by messages; the runtime's own lines on stderr would repeat them, with paths.
env.logLevel = "fatal"

const say = (message: FromThread) => port.postMessage(message)

const begin = (other: number, theirs: MessagePort, on: Device): void => {
  const data: ThreadData = { number: other, port: theirs, device: on }
  const worker = new Worker(new URL(import.meta.url), { workerData: data, transferList: [theirs] })
  // The other end of its port is told that it is gone; this thread goes on.
  worker.on("error", () => {})
  worker.unref()
}

/** This thread's part of each job. */
const parts = new Map<number, Part.Part>()

const handle = async (message: ToThread): Promise<void> => {
  switch (message.type) {
    case "open":
      return void parts.set(message.id, await Part.prepare(message, number, device))
    case "run":
      return parts.get(message.id)!.run(message.turns)
    case "close": {
      await parts.get(message.id)?.end()
      return void parts.delete(message.id)
    }
    case "begin":
      return begin(message.number, message.port, message.device)
    case "end": {
      for (const part of parts.values()) await part.end()
      parts.clear()
      say({ type: "done" })
      if (port !== parentPort) port.close()
    }
  }
}

const ready = async () => {
  if (model === undefined) return
  const session = await InferenceSession.create(model, { ...RuntimeSessions.options(device), intraOpNumThreads: 1 })
  await session.release()
}

// If the library does not work, opening a job fails as well, and reports it.
let last = ready().catch(() => {})
port.on("message", (message: ToThread) => {
  last = last.then(async () => {
    try {
      await handle(message)
      if (message.type !== "begin" && message.type !== "end") say({ type: "done" })
    } catch (error) {
      say({ type: "failed", text: error instanceof Error ? error.message : String(error) })
    }
  })
})
