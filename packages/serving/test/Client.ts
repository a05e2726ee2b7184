/**
 * A client that knows HTTP but shares no code with the server.
 */
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import * as InferenceServer from "../src/InferenceServer.ts"

export const fixtures = fileURLToPath(new URL("./fixtures", import.meta.url))

export interface Answer {
  readonly status: number
  readonly text: string
  readonly body: Record<string, unknown>
}

/** Calls the running server; a body that is not a string is sent as JSON. */
export const call = Effect.fnUntraced(function* (path: string, body?: unknown, init: RequestInit = {}) {
  const { url } = yield* InferenceServer.InferenceServer
  const payload = body === undefined || typeof body === "string" ? body : JSON.stringify(body)
  const request: RequestInit = payload === undefined ? init : { method: "POST", body: payload, ...init }
  return yield* Effect.promise(async (signal): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, { ...request, signal })
    const text = await response.text()
    return { status: response.status, text, body: text === "" ? {} : JSON.parse(text) }
  })
})

export const tensor = (name: string, datatype: string, shape: ReadonlyArray<number>, data: unknown) => ({
  name,
  datatype,
  shape,
  data
})
