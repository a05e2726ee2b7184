/**
 * One model version's queue. Batching is adaptive: a worker has one execution at a time; what arrives meanwhile waits, and goes together when
 * the worker is free, at the end of the turn of the event loop and without a timer. So a quiet server answers at once, and a busy one in
 * batches whose size follows the load.
 */
import { Result } from "effect"
import type { InferRequest } from "../InferTensor.ts"
import type { ServedSpec } from "../ModelSignature.ts"
import { DeadlineExceeded, InferenceFailed, ModelUnavailable, Overloaded, type RequestError } from "../RequestError.ts"
import type { Computed, ModelWorker } from "../worker/ModelWorker.ts"
import * as Batch from "./Batch.ts"
import * as Tally from "./Tally.ts"
import * as Waiting from "./Waiting.ts"

/** How a queue is bounded and what may go together. */
export interface Options {
  readonly model: string
  /** The most rows of one execution; 0 keeps every request by itself. */
  readonly maxRows: number
  /** The most bytes of the inputs of several requests in one execution. */
  readonly maxBytes: number
  /** Milliseconds that a request may wait for others while a worker is free; 0 waits for none. */
  readonly maxDelay: number
  /** Requests that may wait. */
  readonly limit: number
  /** Milliseconds that a request may expect to wait, by what executions took of late; beyond them it is refused, unless few are there. */
  readonly maxWait: number
  /** What the runtime said of a computation that it refused; for the log. */
  readonly onFailure: (text: string) => void
}

/** The milliseconds of node's longest timer, 24 days. */
const longestTimer = 2 ** 31 - 1

/** The memory that waiting inputs may hold. */
const maxWaitingBytes = 256 * 1024 * 1024

/** So many may wait or be under way however slow the model is. */
const few = 16

/** How much the newest execution counts in what one takes. */
const newest = 0.2

const ns = (milliseconds: number): number => Math.round(milliseconds * 1e6)

/** A queue with no worker yet. */
export const make = ({ model, maxRows, maxBytes, maxDelay, limit, maxWait, onFailure }: Options) => {
  const tally = Tally.make()
  const idle: Array<ModelWorker> = []
  let workers = 0
  const waiting = Waiting.make(maxRows, maxBytes)
  let millisPerExecution = 0
  /** Requests that are under way. */
  let underWay = 0
  let lastStart = 0
  let [refused, expired, cancelled] = [0, 0, 0]
  /** By how many wait: an error costs most to make, and under overload a server has better to do. */
  const refusals: Array<Overloaded> = []
  let scheduled = false
  let holding = false
  const whenEmpty: Array<() => void> = []

  const settle = (request: Waiting.Request) => {
    request.done = true
    clearTimeout(request.timer)
    if (request.taken > 0) return
    waiting.remove(request)
    tellWhenEmpty()
  }

  const isEmpty = () => waiting.count() === 0 && underWay === 0
  const tellWhenEmpty = () => {
    if (isEmpty()) for (const call of whenEmpty.splice(0)) call()
  }

  const fail = (request: Waiting.Request, error: RequestError) => {
    if (request.done) return
    settle(request)
    tally.failed(ns(performance.now() - request.arrived))
    request.answer(Result.fail(error))
  }

  const succeed = (batch: ReadonlyArray<Waiting.Request>, { outputs }: Computed, taken: number) => {
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
  const run = (worker: ModelWorker, batch: ReadonlyArray<Waiting.Request>, then: (alive: boolean) => void) => {
    const taken = performance.now()
    for (const request of batch) request.taken = taken
    const rows = batch.reduce((sum, request) => sum + request.rows, 0)
    const inputs = batch[0]!.inputs.map((_, index) => Batch.join(batch.map((request) => request.inputs[index]!)))
    const names = batch[0]!.outputs.map(({ name }) => name)
    const sent = performance.now()
    lastStart = sent
    underWay += batch.length
    worker.run(inputs, names, (outcome) => {
      underWay -= batch.length
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
      const weight = millisPerExecution === 0 ? 1 : newest
      millisPerExecution += weight * (came - sent - millisPerExecution)
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
    // Those of a batch that try again alone are under way again before anybody is told.
    then(alive)
    tellWhenEmpty()
  }

  const runEach = (
    worker: ModelWorker,
    batch: ReadonlyArray<Waiting.Request>,
    then: (alive: boolean) => void
  ): void => {
    const [first, ...rest] = batch.filter((request) => !request.done)
    if (first === undefined) {
      done(then, true)
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
    while (idle.length > 0 && waiting.count() > 0) {
      const batch = waiting.takeBatch(maxDelay)
      if (batch === undefined) return holdBack()
      const worker = idle.pop()!
      run(worker, batch, (alive) => {
        if (alive) free(worker)
      })
    }
  }

  /** Lets those that wait do so for others to fill their batch. */
  const holdBack = () => {
    if (holding) return
    holding = true
    setTimeout(() => {
      holding = false
      flush()
    }, waiting.patience(maxDelay))
  }

  /** Milliseconds until a worker would take another request, by what executions took of late; none where the next execution has room for it. */
  const expectedWait = (): number => {
    const ahead = waiting.executionsAhead()
    if (ahead === 0) return 0
    const rest = underWay > 0 ? Math.max(0, millisPerExecution - (performance.now() - lastStart)) : 0
    return (rest + ahead * millisPerExecution) / Math.max(workers, 1)
  }

  /** Why there is no room for another request now; whoever asks is to answer with it. */
  const refusal = (bytes = 0): Overloaded | undefined => {
    const count = waiting.count()
    const slow = underWay + count >= few && expectedWait() > maxWait
    const full = count >= limit || slow || (count > 0 && waiting.bytes() + bytes > maxWaitingBytes)
    if (!full) return undefined
    refused += 1
    tally.failed(0)
    refusals[count] ??= new Overloaded({ model, limit: count, retryAfter: 1 })
    return refusals[count]
  }

  const schedule = () => {
    if (scheduled || idle.length === 0 || waiting.count() === 0) return
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
      for (const request of waiting.takeAll()) fail(request, new ModelUnavailable({ model }))
    },
    /** Puts a request, its inputs in the model's order, into the queue; calling what it returns takes it out again. */
    submit: (
      request: Pick<InferRequest, "inputs">,
      outputs: ReadonlyArray<ServedSpec>,
      deadline: number | undefined,
      answer: Waiting.Answer
    ): (() => void) => {
      const entry = Waiting.request(request.inputs, outputs, maxRows > 0, answer)
      const refuse = (error: RequestError) => {
        entry.done = true
        tally.failed(0)
        answer(Result.fail(error))
        return () => {}
      }
      if (workers === 0) return refuse(new ModelUnavailable({ model }))
      const overloaded = refusal(entry.bytes)
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
        if (deadline <= entry.arrived) {
          expired += 1
          return refuse(new DeadlineExceeded({ model }))
        }
        // A longer timer would ring at once; nothing waits so long.
        entry.timer = setTimeout(expire, Math.min(deadline - entry.arrived, longestTimer))
      }
      waiting.push(entry)
      schedule()
      return () => {
        if (entry.done) return
        cancelled += 1
        settle(entry)
      }
    },
    /** Calls once nothing waits and nothing runs. */
    whenEmpty: (call: () => void) => {
      if (isEmpty()) call()
      else whenEmpty.push(call)
    },
    state: () => ({ waiting: waiting.count(), limit, refused, expired, cancelled })
  }
}

/** See `make`. */
export type Batcher = ReturnType<typeof make>
