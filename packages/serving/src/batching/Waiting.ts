/**
 * Requests of one model version that wait for a worker, the oldest first.
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
  /** Requests with one key may go together; without one, a request goes alone. */
  readonly key: string | undefined
  readonly rows: number
  readonly bytes: number
  readonly arrived: number
  readonly answer: Answer
  /** Of its deadline. */
  timer: NodeJS.Timeout | undefined
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

/** Undefined where the inputs have not as many rows each: such a request goes alone, for its outputs cannot be told from others'. */
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

/** A request that arrives now; `batched` where its model's rows may go together with others'. */
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
  taken: 0,
  done: false
})

/** None yet; an execution takes at most `maxRows` rows and `maxBytes` of several requests. */
export const make = (maxRows: number, maxBytes: number) => {
  let requests: Array<Request> = []
  let bytes = 0
  /** Of those that may go together, by their key. */
  const groups = new Map<string, { requests: number; rows: number; bytes: number }>()
  const count = (request: Request, by: 1 | -1) => {
    bytes += by * request.bytes
    if (request.key === undefined) return
    const group = groups.get(request.key) ?? { requests: 0, rows: 0, bytes: 0 }
    groups.set(request.key, group)
    group.requests += by
    group.rows += by * request.rows
    group.bytes += by * request.bytes
    if (group.requests === 0) groups.delete(request.key)
  }
  const leave = (request: Request) => count(request, -1)
  /** Executions that a group fills. */
  const fullness = (group: { rows: number; bytes: number }) => Math.max(group.rows / maxRows, group.bytes / maxBytes)
  return {
    count: () => requests.length,
    /** What all of them hold. */
    bytes: () => bytes,
    /** Executions before that of a request that comes now, which may join one that is not full. */
    executionsAhead: (): number => {
      let [together, executions, partial] = [0, 0, 0]
      for (const group of groups.values()) {
        together += group.requests
        const filled = fullness(group)
        executions += Math.floor(filled)
        if (filled % 1 > 0) partial += 1
      }
      return requests.length - together + executions + Math.max(partial - 1, 0)
    },
    push: (request: Request) => {
      requests.push(request)
      count(request, 1)
    },
    remove: (request: Request) => {
      const place = requests.indexOf(request)
      if (place < 0) return
      requests.splice(place, 1)
      leave(request)
    },
    /** The oldest and all that may go with it. */
    takeBatch: (): ReadonlyArray<Request> => {
      const batch: Array<Request> = []
      const rest: Array<Request> = []
      let [rows, bytes] = [0, 0]
      for (const request of requests) {
        const first = batch[0]
        const alike = request.key !== undefined && request.key === first?.key
        const fits = rows + request.rows <= maxRows && bytes + request.bytes <= maxBytes
        if (first === undefined || (alike && fits)) {
          batch.push(request)
          rows += request.rows
          bytes += request.bytes
          leave(request)
        } else rest.push(request)
      }
      requests = rest
      return batch
    },
    takeAll: (): ReadonlyArray<Request> => {
      const all = requests
      requests = []
      for (const request of all) leave(request)
      return all
    },
    /** Milliseconds that the oldest may still wait for others to fill its batch, of `maxDelay` in all. */
    patience: (maxDelay: number): number => {
      const oldest = requests[0]
      const group = oldest?.key === undefined ? undefined : groups.get(oldest.key)
      return group === undefined || fullness(group) >= 1 ? 0 : oldest!.arrived + maxDelay - performance.now()
    }
  }
}
