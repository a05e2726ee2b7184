import { availableParallelism } from "node:os"
import { MessagePort, type Worker } from "node:worker_threads"
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import { Circuit, Engine, Moons, NdArray, PlanSpec, Program, ReferenceEngine, TfjsEngine, Training } from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect, Stream } from "effect"
import type * as Job from "../src/Job.ts"

/** Threads started by this one. */
const workers: Array<Worker> = []
process.on("worker", (worker: Worker) => workers.push(worker))

afterEach(() => {
  vi.restoreAllMocks()
})

/** Large enough for threads to share the stages, about 0.1 GFLOP a step; with 700 examples, each thread computes its share in blocks. */
const wide = [2, ...Array<number>(17).fill(64), 1]

/** Needs so much memory per operation that each thread has several graphs, run one after the other. */
const narrow = [2, ...Array<number>(80).fill(8), 1]

/**
 * A chain so long that its backpropagation takes several graphs; with a skip connection around each stage, gradients reach its beginning, and
 * larger steps would amplify the last digit.
 */
const long = [2, ...Array<number>(700).fill(4), 1]

const losses = (activation: "tanh" | "relu", plan: string, examples: number, widths: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const circuit = Circuit.perceptron(widths, { activation, residual: widths === long })
    const data = yield* Moons.make({ examples, noise: 0.1, seed: 3 })
    const settings = { plan: yield* PlanSpec.parse(plan), seed: 5 }
    const events = yield* Stream.runCollect(Training.stream(circuit, data, settings))
    return events.flatMap((event) =>
      event._tag === "Step" && event.measurement !== undefined
        ? [event.measurement.freeRunLoss, event.measurement.relaxedLoss ?? 0]
        : []
    )
  })

// Continuous rules only: where a gradient is 0, a sign-based rule would take rounding for a direction.
const plans = [
  ["every map cut", "relax:4:sgd=0.3+momentum=0.5:interval=1:refresh=2", 200],
  ["every map cut, in blocks", "relax:3:sgd=0.3:interval=1", 700],
  ["every map cut, in several graphs", "relax:3:sgd=0.3:interval=1", 4096, narrow],
  ["every third map cut, from the second on", "relax:4:adam=0.003:interval=1:every=3", 200],
  ["a penalty and multipliers", "relax:4:sgd=0.1:interval=1:multipliers=0.1:penalty=0.01", 200],
  ["backpropagation, where threads share the examples", "backpropagate:3:adam=0.003:interval=1", 200],
  ["backpropagation through a long chain", "backpropagate:4:sgd=0.000003:interval=1", 20, long]
] as const

describe("a step that threads share", () => {
  for (const [name, plan, examples, widths = wide] of plans) {
    for (const activation of ["tanh", "relu"] as const) {
      it.effect(
        `follows the reference: ${name}, ${activation}`,
        () =>
          Effect.gen(function* () {
            const post = vi.spyOn(MessagePort.prototype, "postMessage")
            const came = yield* Effect.provide(losses(activation, plan, examples, widths), OnnxEngine.layer)
            const isRun = (message: unknown) => (message as { readonly type?: string }).type === "run"
            const threads = new Set(post.mock.contexts.filter((_, i) => isRun(post.mock.calls[i]![0])))
            // Six segments are shared by three threads at most.
            const isShared = widths !== long && (availableParallelism() <= 3 || !plan.includes("every=3"))
            assert.strictEqual(threads.size, isShared ? availableParallelism() : 1)
            const jobs = post.mock.calls.flatMap(([message]) => ("job" in message ? [message.job as Job.Job] : []))
            const most = Math.max(...jobs.flatMap(({ graphs }) => graphs.map(({ length }) => length)))
            // With more threads each has less to do.
            if (availableParallelism() <= 2) assert.isTrue(widths === wide ? most === 1 : most >= 3)
            // The reference would take a minute over the narrow one.
            const judge = widths === narrow ? TfjsEngine.layerNative : ReferenceEngine.layer
            const expected = yield* Effect.provide(losses(activation, plan, examples, widths), judge)
            assert.isAbove(expected.length, 4)
            came.forEach((loss, i) => {
              assert.isAtMost(Math.abs(loss - expected[i]!), 1e-4 * (1e-3 + Math.abs(expected[i]!)), `${i}`)
            })
          }),
        120_000
      )
    }
  }
})

/** A chain of products that takes a while. */
const slow = Effect.runSync(
  Program.make({ w: [900, 900] }, ({ w }) => {
    let product = w
    for (let i = 0; i < 60; i++) product = product.matMul(w).clip(-1, 1)
    return { total: product.total() }
  })
)

const weights = { w: NdArray.full([900, 900], 0.001) }

describe("threads", () => {
  it.effect("leave the main thread free while a step runs", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.Engine
      const session = yield* engine.session(weights)
      yield* session.advance(slow)
      let ticks = 0
      const timer = setInterval(() => ticks++, 1)
      yield* session.advance(slow)
      clearInterval(timer)
      assert.isAbove(ticks, 5)
    }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
  )

  // A product too small for a normal float32, by a pass and, since two results need it, by the graph.
  it.effect("of one engine after another take the same numbers for zero", () =>
    Effect.gen(function* () {
      const program = yield* Program.make({ a: [64], b: [8, 8] }, ({ a, b }) => {
        const y = b.mul(b)
        return { passed: a.mul(a), whole: y.matMul(y.add(1)) }
      })
      const arrays = { a: NdArray.full([64], 1e-20), b: NdArray.full([8, 8], 1e-20) }
      const answers = yield* Effect.forEach([1, 2, 3], () =>
        Effect.provide(
          Engine.Engine.use(({ run }) => run(program, arrays)),
          OnnxEngine.layer
        )
      )
      for (const { passed, whole } of answers) {
        assert.deepStrictEqual([...new Set(passed!.data)], [0])
        assert.deepStrictEqual([...new Set(whole!.data)], [0])
      }
    })
  )

  it.effect("that stop end what they take part in, and nothing else", () =>
    Effect.gen(function* () {
      const post = vi.spyOn(MessagePort.prototype, "postMessage")
      const engine = yield* Engine.Engine
      const session = yield* engine.session({ a: NdArray.full([48, 128, 128], 0.01), x: NdArray.full([8], 0.5) })
      yield* session.advance(few)
      const first = new Set(post.mock.contexts)
      yield* session.advance(stacked)
      const others = new Set(post.mock.contexts.filter((port) => !first.has(port)) as ReadonlyArray<MessagePort>)
      assert.strictEqual(others.size, availableParallelism() - 1)
      for (const port of others) port.close()
      yield* Effect.promise(() => new Promise((resume) => setTimeout(resume, 100)))
      assert.deepStrictEqual([...(yield* session.advance(few)).twice!.data], Array(8).fill(2.5))
      const error = yield* Effect.flip(session.advance(stacked))
      assert.include(error.message, "a thread stopped in the middle of its work")
    }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
  )

  it.effect("that stop while a step waits for them end it with a line that says so", () =>
    Effect.gen(function* () {
      // The engine's own first thread, not one that stays of an engine before.
      yield* Effect.promise(() => Promise.all(workers.map((worker) => worker.terminate())))
      yield* Effect.scoped(Effect.provide(stopping, OnnxEngine.layer))
    })
  )
})

/** A stacked product that threads share, and a few numbers that one thread computes by itself. */
const [stacked, few] = Effect.runSync(
  Effect.all([
    Program.make({ a: [48, 128, 128] }, ({ a }) => ({ product: a.matMul(a).clip(-1, 1) })),
    Program.make({ x: [8] }, ({ x }) => ({ x: x.square().add(1), twice: x.mul(2) }))
  ])
)

const stopping = Effect.gen(function* () {
  const engine = yield* Engine.Engine
  const session = yield* engine.session(weights)
  yield* session.advance(slow)
  const stopped = workers.at(-1)!.terminate()
  const error = yield* Effect.flip(session.advance(slow))
  assert.strictEqual(
    error.message,
    "the engine onnx could not run the program: a thread stopped in the middle of its work; resume from the last checkpoint"
  )
  yield* Effect.promise(() => stopped)
  assert.strictEqual((yield* Effect.flip(session.advance(slow))).message, error.message)
  assert.deepStrictEqual((yield* session.read()).w, weights.w)
})
