/**
 * One model version's queue, batched adaptively: a worker runs one execution at a time; what arrives meanwhile waits, and runs as one batch when the
 * worker is free, at the end of the event loop's turn and without a timer. So a quiet server answers at once, and a busy one in batches whose size
 * follows the load.
 */
import { Result } from "effect"
import type { InferRequest } from "../InferTensor.ts"
import type { ServedSpec } from "../ModelSignature.ts"
import { DeadlineExceeded, InferenceFailed, ModelUnavailable, Overloaded, type RequestError } from "../RequestError.ts"
import type { Computed, ModelWorker } from "../worker/ModelWorker.ts"
import * as Batch from "./Batch.ts"
import * as Tally from "./Tally.ts"
import * as Waiting from "./Waiting.ts"

/** How the queue is bounded, and what may be batched. */
export interface Options {
  readonly model: string
  /** Maximum number of rows per execution; 0 runs every request by itself. */
  readonly maxRows: number
  /** Maximum number of input bytes in an execution of several requests. */
  readonly maxBytes: number
  /** Milliseconds that a request may wait for others while a worker is free; 0 for none. */
  readonly maxDelay: number
  /** Milliseconds after which a request without a deadline of its own is refused if it is still waiting; 0 for none. */
  readonly timeout: number
  /** Maximum number of waiting requests. */
  readonly limit: number
  /** Expected wait, in milliseconds and judged by recent executions, beyond which a request is refused, unless few are waiting or running. */
  readonly maxWait: number
  /** Gets the runtime's own text where it could not compute a request; for the log. */
  readonly onFailure: (text: string) => void
}

/** Node's longest timer, in milliseconds (24 days). */
const longestTimer = 2 ** 31 - 1

/** Maximum number of bytes that waiting inputs may hold. */
const maxWaitingBytes = 256 * 1024 * 1024

/** Number of requests that may wait or run however slow the model is. */
const few = 16

/** Weight of the newest execution in the moving average of their duration. */
const newest = 0.2

const ns = (milliseconds: number): number => Math.round(milliseconds * 1e6)

/** Makes a queue, at first without a worker. */
export const make = ({ model, maxRows, maxBytes, maxDelay, timeout, limit, maxWait, onFailure }: Options) => {
  const tally = Tally.make()
  const idle: Array<ModelWorker> = []
  let workers = 0
  const waiting = Waiting.make(maxRows, maxBytes)
  let millisPerExecution = 0
  /** Number of requests that are running. */
  let underWay = 0
  let lastStart = 0
  let [refused, expired, cancelled] = [0, 0, 0]
  /** Refusals by the number of requests waiting, each made once: creating an error is the dearest part, and an overloaded server has better to do. */
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

  /** Runs a batch; `then` is called once all of it is answered, with whether the worker is alive. */
  const run = (worker: ModelWorker, batch: ReadonlyArray<Waiting.Request>, then: (alive: boolean) => void) => {
    const taken = performance.now()
    for (const request of batch) {
      request.taken = taken
      if (request.waitsUntil) clearTimeout(request.timer)
    }
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
        // One request may have made the others fail: each is retried alone.
        if (alive && batch.length > 1) return runEach(worker, batch, then)
        if (outcome.failure._tag === "RunFailed") onFailure(outcome.failure.text)
        for (const request of batch)
          fail(request, alive ? new InferenceFailed({ model }) : new ModelUnavailable({ model }))
        return done(then, alive)
      }
      // A model that returns another number of rows than it was given should not have been batched.
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
      // The shape of a tensor without elements may claim any number of rows.
      const counted = batch[0]!.inputs[0]?.data.length === 0 && batch.length === 1 ? 0 : rows
      tally.executed(counted, batch.length, spent, Date.now())
      done(then, true)
    })
  }

  const done = (then: (alive: boolean) => void, alive: boolean) => {
    // First `then`, which may run the rest of a split batch: only after that is it known whether the queue is empty.
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

  /** Lets waiting requests wait until others have filled their batch or `maxDelay` is over. */
  const holdBack = () => {
    if (holding) return
    holding = true
    setTimeout(() => {
      holding = false
      flush()
    }, waiting.patience(maxDelay))
  }

  /** Expected milliseconds until a worker takes another request, judged by recent executions; 0 where the next execution has room for it. */
  const expectedWait = (): number => {
    const ahead = waiting.executionsAhead()
    if (ahead === 0) return 0
    const rest = underWay > 0 ? Math.max(0, millisPerExecution - (performance.now() - lastStart)) : 0
    return (rest + ahead * millisPerExecution) / Math.max(workers, 1)
  }

  /** Returns why there is no room for another request now, or undefined. It counts as refused: the caller must answer with it. */
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
    /** Adds a worker whose session is open. */
    add: (worker: ModelWorker) => {
      workers += 1
      free(worker)
    },
    /** Removes a worker that has stopped; the requests it was running have been answered. */
    remove: (worker: ModelWorker) => {
      workers -= 1
      const index = idle.indexOf(worker)
      if (index >= 0) idle.splice(index, 1)
    },
    /** Fails all waiting requests, because no worker is coming. */
    giveUp: () => {
      for (const request of waiting.takeAll()) fail(request, new ModelUnavailable({ model }))
    },
    /** Queues a request, its inputs in the model's order; calling the returned function cancels it. */
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
        // Node fires a longer timer at once; nothing waits that long.
        entry.timer = setTimeout(expire, Math.min(deadline - entry.arrived, longestTimer))
      } else if (timeout > 0) {
        entry.waitsUntil = true
        entry.timer = setTimeout(expire, timeout)
      }
      waiting.push(entry)
      schedule()
      return () => {
        if (entry.done) return
        cancelled += 1
        settle(entry)
      }
    },
    /** Calls back once nothing is waiting or running. */
    whenEmpty: (call: () => void) => {
      if (isEmpty()) call()
      else whenEmpty.push(call)
    },
    state: () => ({ waiting: waiting.count(), limit, refused, expired, cancelled })
  }
}

/** See `make`. */
export type Batcher = ReturnType<typeof make>
