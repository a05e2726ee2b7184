/**
 * Requests as bytes, for tests of what JSON clients cannot express.
 */
import { connect } from "node:net"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import * as InferenceServer from "../../src/InferenceServer.ts"

export const models = fileURLToPath(new URL("../triton/models", import.meta.url))
export const sequences = fileURLToPath(new URL("../triton/sequences", import.meta.url))
export const images = fileURLToPath(new URL("../triton/images", import.meta.url))

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  /** Parses the answer, where it is JSON alone. */
  readonly json: () => Record<string, unknown>
}

/** Sends a request; undefined headers and bodies are left out. */
export const ask = Effect.fnUntraced(function* (path: string, init: RequestInit = {}) {
  const { url } = yield* InferenceServer.InferenceServer
  return yield* Effect.promise(async (signal): Promise<Reply> => {
    const response = await fetch(`${url}${path}`, { signal, ...init })
    const bytes = new Uint8Array(await response.arrayBuffer())
    const json = () => JSON.parse(new TextDecoder().decode(bytes))
    return { status: response.status, headers: response.headers, bytes, json }
  })
})

/** Makes a body of the binary data extension: the JSON followed by the tensors. */
export const raw = (json: unknown, ...tensors: ReadonlyArray<Uint8Array>): RequestInit => {
  const head = Buffer.from(JSON.stringify(json))
  return {
    method: "POST",
    headers: { "Inference-Header-Content-Length": String(head.length) },
    body: Buffer.concat([head, ...tensors])
  }
}

/** Splits an answer with raw tensors into its JSON and the tensors. */
export const split = ({ bytes, headers }: Reply) => {
  const length = Number(headers.get("inference-header-content-length"))
  return { json: JSON.parse(Buffer.from(bytes.subarray(0, length)).toString()), tail: bytes.subarray(length) }
}

/** Writes text to a connection and returns what the server sends, until `enough` matches it or the server closes. */
export const speak = Effect.fnUntraced(function* (text: string | Uint8Array, enough?: RegExp) {
  const { url } = yield* InferenceServer.InferenceServer
  const { hostname, port } = new URL(url)
  return yield* Effect.callback<string>((resume) => {
    const socket = connect(Number(port), hostname)
    let said = ""
    const end = () => {
      socket.destroy()
      resume(Effect.succeed(said))
    }
    socket.on("data", (chunk) => {
      said += chunk.toString("latin1")
      if (enough?.test(said)) end()
    })
    socket.on("error", end)
    socket.on("close", end)
    socket.write(text)
  })
})
