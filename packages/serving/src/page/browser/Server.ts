/**
 * The server as the page sees it: through the protocol's routes, like any client.
 */
import type { Version } from "./Models.ts"
import type { Statistics } from "./Rates.ts"
import type { Signature } from "./Request.ts"
import * as Token from "./Token.ts"

/** An answer, and the milliseconds until it had arrived whole. */
export interface Answer {
  readonly status: number
  readonly text: string
  readonly milliseconds: number
}

/** A model's inputs and outputs; `parameters` say which provider took it, and why earlier ones did not. */
export interface Metadata extends Signature {
  readonly parameters: Readonly<Record<string, string>>
}

/** Sends a request, a GET without a body; sends it again once a token that was missing has been given. */
export const send = async (path: string, body?: string): Promise<Answer> => {
  const began = performance.now()
  const response = await fetch(path, {
    method: body === undefined ? "GET" : "POST",
    headers: { ...Token.headers(), "content-type": "application/json" },
    body: body ?? null
  })
  const text = await response.text()
  if (response.status !== 401) return { status: response.status, text, milliseconds: performance.now() - began }
  await Token.ask()
  return send(path, body)
}

/** The error that an answer reports. */
export const errorOf = ({ status, text }: Answer): string => {
  try {
    return String(JSON.parse(text).error)
  } catch {
    return `the server answered ${status}`
  }
}

const json = async (path: string, body?: string) => {
  const answer = await send(path, body)
  if (answer.status !== 200) throw new Error(errorOf(answer))
  return JSON.parse(answer.text)
}

/** The path of a model's version. */
export const pathOf = (model: string, version: string): string =>
  `v2/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}`

/** The server's name and version. */
export const about = (): Promise<{ readonly name: string; readonly version: string }> => json("v2")

/** Every version of every model. */
export const index = (): Promise<ReadonlyArray<Version>> => json("v2/repository/index", "{}")

/** The statistics of every version that is served. */
export const statistics = async (): Promise<ReadonlyArray<Statistics>> => (await json("v2/models/stats")).model_stats

/** A version's inputs and outputs. */
export const metadata = (model: string, version: string): Promise<Metadata> => json(pathOf(model, version))
