/**
 * Requests of one model version that wait for a worker, grouped by the execution they will run in, oldest first.
 */
import type { Result } from "effect"
import type { InferTensor } from "../InferTensor.ts"
import type { ServedSpec } from "../ModelSignature.ts"
import type { RequestError } from "../RequestError.ts"

/** How a request is answered. */
export type Answer = (result: Result.Result<ReadonlyArray<InferTensor>, RequestError>) => void

/** A request from its arrival to its answer. */
export interface Request {
  readonly inputs: ReadonlyArray<InferTensor>
  readonly outputs: ReadonlyArray<ServedSpec>
  /** Requests with the same key may be batched; without a key, a request runs alone. */
  readonly key: string | undefined
  readonly rows: number
  readonly bytes: number
  readonly arrived: number
  readonly answer: Answer
  /** Its deadline's timer. */
  timer: NodeJS.Timeout | undefined
  /** Whether the deadline is one for its waiting alone. */
  waitsUntil: boolean
  /** When a worker took it; 0 while it waits. */
  taken: number
  done: boolean
}

const bytesOf = (inputs: ReadonlyArray<InferTensor>): number => {
  let sum = 0
  for (const { data } of inputs) {
    if (Array.isArray(data)) for (const text of data) sum += 48 + 2 * text.length
    else sum += data.byteLength
  }
  return sum
}

/** Returns undefined where the inputs differ in their number of rows: such a request runs alone, as its outputs could not be told from others'. */
const keyOf = (inputs: ReadonlyArray<InferTensor>, outputs: ReadonlyArray<ServedSpec>): string | undefined => {
  let key = ""
  const rows = inputs[0]!.shape[0]
  if (inputs.some(({ shape }) => shape[0] !== rows)) return undefined
  for (const { shape } of inputs) {
    for (let axis = 1; axis < shape.length; axis++) key += `${shape[axis]},`
    key += ";"
  }
  for (const { name } of outputs) key += `${name}\u0000`
  return key
}

/** Makes a request that arrives now; `batched` where its model's rows may run together with those of others. */
export const request = (
  inputs: ReadonlyArray<InferTensor>,
  outputs: ReadonlyArray<ServedSpec>,
  batched: boolean,
  answer: Answer
): Request => ({
  inputs,
  outputs,
  key: batched ? keyOf(inputs, outputs) : undefined,
  rows: batched ? inputs[0]!.shape[0]! : 1,
  bytes: bytesOf(inputs),
  arrived: performance.now(),
  answer,
  timer: undefined,
  waitsUntil: false,
  taken: 0,
  done: false
})

/** Requests that will run as one batch. */
interface Together {
  readonly requests: Array<Request>
  rows: number
  bytes: number
}

/** Makes an empty queue; an execution of several requests takes at most `maxRows` rows and `maxBytes` bytes. */
export const make = (maxRows: number, maxBytes: number) => {
  let batches: Array<Together> = []
  let [count, bytes] = [0, 0]
  const isFull = (batch: Together) => batch.rows >= maxRows || batch.bytes >= maxBytes
  const hasRoom = (batch: Together, { key, rows, bytes }: Request) =>
    key !== undefined &&
    key === batch.requests[0]!.key &&
    batch.rows + rows <= maxRows &&
    batch.bytes + bytes <= maxBytes
  /** Whether other requests may still join it. */
  const isOpen = (batch: Together) => batch.requests[0]!.key !== undefined && !isFull(batch)
  const leave = (batch: Together) => {
    batches = batches.filter((other) => other !== batch)
    count -= batch.requests.length
    bytes -= batch.bytes
    return batch.requests
  }
  /** Milliseconds that a batch may still wait for others, out of `maxDelay`. */
  const patience = (batch: Together, maxDelay: number): number =>
    isOpen(batch) && maxDelay > 0 ? Math.max(0, batch.requests[0]!.arrived + maxDelay - performance.now()) : 0
  return {
    count: () => count,
    /** Total bytes of the waiting requests. */
    bytes: () => bytes,
    /** Number of executions before that of a new request, which may still join an open batch. */
    executionsAhead: (): number => batches.length - (batches.some(isOpen) ? 1 : 0),
    push: (request: Request) => {
      count += 1
      bytes += request.bytes
      const batch = batches.find((batch) => hasRoom(batch, request))
      if (batch === undefined) {
        batches.push({ requests: [request], rows: request.rows, bytes: request.bytes })
        return
      }
      batch.requests.push(request)
      batch.rows += request.rows
      batch.bytes += request.bytes
    },
    remove: (request: Request) => {
      const batch = batches.find(({ requests }) => requests.includes(request))
      if (batch === undefined) return
      if (batch.requests.length === 1) {
        leave(batch)
        return
      }
      batch.requests.splice(batch.requests.indexOf(request), 1)
      batch.rows -= request.rows
      batch.bytes -= request.bytes
      count -= 1
      bytes -= request.bytes
    },
    /** Takes the oldest batch that need not wait (any longer) for others; `maxDelay` is how long they may wait, in milliseconds. */
    takeBatch: (maxDelay: number): ReadonlyArray<Request> | undefined => {
      const batch = batches.find((batch) => patience(batch, maxDelay) === 0)
      return batch === undefined ? undefined : leave(batch)
    },
    takeAll: (): ReadonlyArray<Request> => batches.flatMap(leave),
    /** Milliseconds until some batch need not wait any longer. */
    patience: (maxDelay: number): number => Math.min(...batches.map((batch) => patience(batch, maxDelay)))
  }
}

/** See `make`. */
export type Waiting = ReturnType<typeof make>
