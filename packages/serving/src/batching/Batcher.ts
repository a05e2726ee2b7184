/**
 * One model version's queue. Batching is adaptive: a worker has one execution at a time; what arrives meanwhile waits, and goes together when
 * the worker is free, at the end of the turn of the event loop and without a timer. So a quiet server answers at once, and a busy one in
 * batches whose size follows the load.
 */
import { Result } from "effect"
import type { InferRequest, InferTensor } from "../InferTensor.ts"
import type { ServedSpec } from "../ModelSignature.ts"
import { DeadlineExceeded, InferenceFailed, ModelUnavailable, Overloaded, type RequestError } from "../RequestError.ts"
import type { Computed, ModelWorker } from "../worker/ModelWorker.ts"
import * as Batch from "./Batch.ts"
import * as Tally from "./Tally.ts"

/** How a queue is bounded and what may go together. */
export interface Options {
  readonly model: string
  /** The most rows of one execution; 0 keeps every request by itself. */
  readonly maxRows: number
  /** Milliseconds that a request may wait for others while a worker is free; 0 waits for none. */
  readonly maxDelay: number
  /** Requests that may wait. */
  readonly limit: number
  /** Milliseconds that a request may expect to wait, by what executions took of late; beyond them it is refused, unless few wait. */
  readonly maxWait: number
  /** What the runtime said of a computation that it refused; for the log. */
  readonly onFailure: (text: string) => void
}

/** The milliseconds of node's longest timer, 24 days. */
const longestTimer = 2 ** 31 - 1

/** The memory that waiting inputs may hold. */
const maxWaitingBytes = 256 * 1024 * 1024

/** So many may wait however slow the model is. */
const few = 16

/** How much the newest execution counts in what a row takes. */
const newest = 0.2

type Answer = (result: Result.Result<ReadonlyArray<InferTensor>, RequestError>) => void

interface Request {
  readonly inputs: ReadonlyArray<InferTensor>
  readonly outputs: ReadonlyArray<ServedSpec>
  /** Requests with one key may go together; without one, a request goes alone. */
  readonly key: string | undefined
  readonly rows: number
  readonly bytes: number
  readonly arrived: number
  readonly answer: Answer
  timer: NodeJS.Timeout | undefined
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

const ns = (milliseconds: number): number => Math.round(milliseconds * 1e6)

/** A queue with no worker yet. */
export const make = ({ model, maxRows, maxDelay, limit, maxWait, onFailure }: Options) => {
  const tally = Tally.make()
  const idle: Array<ModelWorker> = []
  let workers = 0
  let queue: Array<Request> = []
  let waiting = 0
  let waitingRows = 0
  let waitingBytes = 0
  let millisPerRow = 0
  let running = 0
  let [refused, expired, cancelled] = [0, 0, 0]
  let scheduled = false
  let holding = false
  const whenEmpty: Array<() => void> = []

  const settle = (request: Request) => {
    request.done = true
    clearTimeout(request.timer)
    if (request.taken > 0) return
    leave(request)
    const place = queue.indexOf(request)
    if (place >= 0) queue.splice(place, 1)
    tellWhenEmpty()
  }

  const leave = ({ bytes, rows }: Request) => {
    waiting -= 1
    waitingRows -= rows
    waitingBytes -= bytes
  }

  const tellWhenEmpty = () => {
    if (waiting === 0 && running === 0) for (const call of whenEmpty.splice(0)) call()
  }

  const fail = (request: Request, error: RequestError) => {
    if (request.done) return
    settle(request)
    tally.failed(ns(performance.now() - request.arrived))
    request.answer(Result.fail(error))
  }

  /** The oldest request and all that may go with it, out of the queue. */
  const nextBatch = (): Array<Request> => {
    const batch: Array<Request> = []
    const rest: Array<Request> = []
    let rows = 0
    for (const request of queue) {
      const first = batch[0]
      const alike = request.key !== undefined && request.key === first?.key
      const joins = first === undefined || (alike && rows + request.rows <= maxRows)
      if (joins) {
        batch.push(request)
        rows += request.rows
      } else rest.push(request)
    }
    queue = rest
    return batch
  }

  const take = (batch: ReadonlyArray<Request>, now: number) => {
    for (const request of batch) {
      if (request.taken === 0) leave(request)
      request.taken = now
    }
  }

  const succeed = (batch: ReadonlyArray<Request>, { outputs }: Computed, taken: number) => {
    const specs = batch[0]!.outputs
    let start = 0
    for (const request of batch) {
      const share = batch.length > 1 ? { start, count: request.rows } : undefined
      start += request.rows
      if (request.done) continue
      const tensors = outputs.map((output, index) => Batch.part(output, specs[index]!, share))
      settle(request)
      tally.succeeded(ns(taken - request.arrived), ns(performance.now() - request.arrived))
      request.answer(Result.succeed(tensors))
    }
  }

  /** Runs a batch; `then` is called when all of it is answered, with whether the worker lives. */
  const run = (worker: ModelWorker, batch: ReadonlyArray<Request>, then: (alive: boolean) => void) => {
    const taken = performance.now()
    take(batch, taken)
    const rows = batch.reduce((sum, request) => sum + request.rows, 0)
    const inputs = batch[0]!.inputs.map((_, index) => Batch.join(batch.map((request) => request.inputs[index]!)))
    const names = batch[0]!.outputs.map(({ name }) => name)
    const sent = performance.now()
    running += 1
    worker.run(inputs, names, (outcome) => {
      running -= 1
      if (Result.isFailure(outcome)) {
        const alive = outcome.failure._tag === "RunFailed"
        // One of them may have spoilt it for the others: each tries again alone.
        if (alive && batch.length > 1) return runEach(worker, batch, then)
        if (outcome.failure._tag === "RunFailed") onFailure(outcome.failure.text)
        for (const request of batch)
          fail(request, alive ? new InferenceFailed({ model }) : new ModelUnavailable({ model }))
        return done(then, alive)
      }
      // A model that folds its rows into another number of them was not one to batch.
      if (batch.length > 1 && outcome.success.outputs.some(({ dims }) => dims[0] !== rows)) {
        return runEach(worker, batch, then)
      }
      const came = performance.now()
      const millis = (came - sent) / Math.max(rows, 1)
      millisPerRow = millisPerRow === 0 ? millis : millisPerRow + newest * (millis - millisPerRow)
      succeed(batch, outcome.success, taken)
      const spent = {
        compute_input: ns(sent - taken),
        compute_infer: outcome.success.ns,
        compute_output: ns(performance.now() - came)
      }
      // A tensor without elements may say any number of rows.
      const counted = batch[0]!.inputs[0]?.data.length === 0 && batch.length === 1 ? 0 : rows
      tally.executed(counted, batch.length, spent, Date.now())
      done(then, true)
    })
  }

  const done = (then: (alive: boolean) => void, alive: boolean) => {
    tellWhenEmpty()
    then(alive)
  }

  const runEach = (worker: ModelWorker, batch: ReadonlyArray<Request>, then: (alive: boolean) => void): void => {
    const [first, ...rest] = batch.filter((request) => !request.done)
    if (first === undefined) {
      then(true)
      return
    }
    run(worker, [first], (alive) => {
      if (alive) {
        runEach(worker, rest, then)
        return
      }
      for (const request of rest) fail(request, new ModelUnavailable({ model }))
      then(false)
    })
  }

  const flush = () => {
    scheduled = false
    while (idle.length > 0 && waiting > 0) {
      if (holdBack()) return
      const batch = nextBatch()
      if (batch.length === 0) return
      const worker = idle.pop()!
      run(worker, batch, (alive) => {
        if (alive) free(worker)
      })
    }
  }

  /** Whether the oldest may still wait for others to fill its batch. */
  const holdBack = (): boolean => {
    if (maxDelay === 0) return false
    let [rows, oldest] = [0, Number.POSITIVE_INFINITY]
    for (const request of queue) {
      rows += request.rows
      oldest = Math.min(oldest, request.arrived)
    }
    const left = oldest + maxDelay - performance.now()
    if (rows >= maxRows || left <= 0) return false
    if (holding) return true
    holding = true
    setTimeout(() => {
      holding = false
      flush()
    }, left)
    return true
  }

  /** Why there is no room for another request now; whoever asks is to answer with it. */
  const refusal = (bytes = 0): Overloaded | undefined => {
    const waits = (waitingRows * millisPerRow) / Math.max(workers, 1)
    const full =
      waiting >= limit || (waiting >= few && waits > maxWait) || (waiting > 0 && waitingBytes + bytes > maxWaitingBytes)
    if (!full) return undefined
    refused += 1
    tally.failed(0)
    return new Overloaded({ model, limit: waiting, retryAfter: 1 })
  }

  const schedule = () => {
    if (scheduled || idle.length === 0 || waiting === 0) return
    scheduled = true
    setImmediate(flush)
  }

  const free = (worker: ModelWorker) => {
    idle.push(worker)
    schedule()
  }

  return {
    tally,
    refusal,
    /** A worker that is open takes part. */
    add: (worker: ModelWorker) => {
      workers += 1
      free(worker)
    },
    /** A worker that stopped; what it had in hand has been answered. */
    remove: (worker: ModelWorker) => {
      workers -= 1
      const index = idle.indexOf(worker)
      if (index >= 0) idle.splice(index, 1)
    },
    /** Answers all that waits, because no worker comes. */
    giveUp: () => {
      for (const request of queue.splice(0)) fail(request, new ModelUnavailable({ model }))
    },
    /** Puts a request, its inputs in the model's order, into the queue; calling what it returns takes it out again. */
    submit: (
      request: Pick<InferRequest, "inputs">,
      outputs: ReadonlyArray<ServedSpec>,
      deadline: number | undefined,
      answer: Answer
    ): (() => void) => {
      const arrived = performance.now()
      const { inputs } = request
      const bytes = bytesOf(inputs)
      const entry: Request = {
        inputs,
        outputs,
        key: maxRows > 0 ? keyOf(inputs, outputs) : undefined,
        rows: maxRows > 0 ? inputs[0]!.shape[0]! : 1,
        bytes,
        arrived,
        answer,
        timer: undefined,
        taken: 0,
        done: false
      }
      const refuse = (error: RequestError) => {
        entry.done = true
        tally.failed(0)
        answer(Result.fail(error))
        return () => {}
      }
      if (workers === 0) return refuse(new ModelUnavailable({ model }))
      const overloaded = refusal(bytes)
      if (overloaded !== undefined) {
        entry.done = true
        answer(Result.fail(overloaded))
        return () => {}
      }
      const expire = () => {
        expired += 1
        fail(entry, new DeadlineExceeded({ model }))
      }
      if (deadline !== undefined) {
        if (deadline <= arrived) {
          expired += 1
          return refuse(new DeadlineExceeded({ model }))
        }
        // A longer timer would ring at once; nothing waits so long.
        entry.timer = setTimeout(expire, Math.min(deadline - arrived, longestTimer))
      }
      waiting += 1
      waitingRows += entry.rows
      waitingBytes += bytes
      queue.push(entry)
      schedule()
      return () => {
        if (entry.done) return
        cancelled += 1
        settle(entry)
      }
    },
    /** Calls once nothing waits and nothing runs. */
    whenEmpty: (call: () => void) => {
      if (waiting === 0 && running === 0) call()
      else whenEmpty.push(call)
    },
    state: () => ({ waiting, limit, refused, expired, cancelled })
  }
}

/** See `make`. */
export type Batcher = ReturnType<typeof make>
