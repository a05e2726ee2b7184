import { assert, it } from "@effect/vitest"
import { InferenceSession, Tensor } from "@rai/onnxruntime"
import { Effect, Result } from "effect"
import { DataPlane } from "../src/DataPlane.ts"
import type { InferRequest, InferTensor } from "../src/InferTensor.ts"
import * as Metrics from "../src/watch/Metrics.ts"
import { fixtures } from "./Client.ts"
import * as Folder from "./Folder.ts"
import { type Answered, all, ask, layer, sines, x } from "./Plane.ts"

const index = (...rows: ReadonlyArray<number>): InferRequest => ({
  inputs: [{ name: "index", datatype: "INT64", shape: [rows.length], data: BigInt64Array.from(rows, BigInt) }]
})
const failure = (answered: Answered) => (Result.isFailure(answered) ? answered.failure._tag : "answered")

it.live("puts together what waits, and gives each the answer that it would have had alone", () =>
  Effect.gen(function* () {
    const service = yield* DataPlane
    const session = yield* Effect.promise(() => InferenceSession.create(`${fixtures}/sigmoid.onnx`))
    const requests = Array.from({ length: 200 }, (_, i) => {
      const rows = 1 + (i % 7)
      return Float32Array.from({ length: 2 * rows }, (_, k) => Math.sin(37 * i + k))
    })
    const asked = requests.map((data) => ask(service, { model: "sigmoid" }, x(data.length / 2, data)))
    const answers = yield* all(asked)
    for (const [i, answered] of answers.entries()) {
      assert.isTrue(Result.isSuccess(answered))
      if (Result.isFailure(answered)) continue
      const data = requests[i]!
      const feeds = { x: new Tensor("float32", data, [data.length / 2, 2]) }
      const bare = yield* Effect.promise(() => session.run(feeds))
      for (const output of answered.success.outputs) {
        assert.deepStrictEqual([output.shape, output.data], [bare[output.name]!.dims, bare[output.name]!.data])
      }
    }
    const [counts] = yield* service.statistics({ model: "sigmoid" })
    assert.strictEqual(
      counts!.inference_count,
      requests.reduce((sum, data) => sum + data.length / 2, 0)
    )
    assert.strictEqual(counts!.inference_stats.success.count, 200)
    assert.isBelow(counts!.execution_count, 20)
    assert.strictEqual(counts!.waiting, 0)
  }).pipe(Effect.provide(layer(fixtures)))
)

it.live("runs by itself what depends on the other rows, and takes settings for the rest", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "across/1/model.onnx", { model: "more/across" })
    Folder.put(folder, "alone/1/model.onnx", { model: "more/double" })
    Folder.put(folder, "alone/config.json", JSON.stringify({ max_batch_size: 0 }))
    Folder.put(folder, "pairs/1/model.onnx", { model: "more/double" })
    Folder.put(folder, "pairs/config.json", JSON.stringify({ max_batch_size: 2 }))
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      for (const [model, width, largest, batch] of [
        ["across", 2, 0, 1],
        ["alone", 1, 0, 1],
        ["pairs", 1, 2, 2]
      ] as const) {
        assert.strictEqual((yield* service.modelConfig({ model })).maxBatchSize, largest)
        const asked = Array.from({ length: 8 }, () => ask(service, { model }, x(1, new Float32Array(width).fill(0.5))))
        const answers = yield* all(asked)
        for (const answered of answers) {
          assert.deepStrictEqual(Result.getOrThrow(answered).outputs[0]!.data, new Float32Array(width).fill(1))
        }
        const [counts] = yield* service.statistics({ model })
        assert.strictEqual(counts!.execution_count, 8 / batch)
      }
      // What clients are told is what holds.
      const [three] = yield* all([ask(service, { model: "pairs" }, x(3, new Float32Array(3)))])
      assert.strictEqual(
        Result.isFailure(three!) && three.failure.message,
        'the request has 3 rows, more than the 2 that the model "pairs" takes at once; send several requests'
      )
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("answers the others where one request spoils its batch", () =>
  Effect.gen(function* () {
    const service = yield* DataPlane
    const asked = [index(1), index(9), index(3, 0)].map((request) => ask(service, { model: "gather" }, request))
    const answers = yield* all(asked)
    assert.strictEqual(failure(answers[1]!), "InferenceFailed")
    assert.deepStrictEqual(Result.getOrThrow(answers[0]!).outputs[0]!.data, Float32Array.of(2, 3))
    assert.deepStrictEqual(Result.getOrThrow(answers[2]!).outputs[0]!.data, Float32Array.of(6, 7, 0, 1))
    const [counts] = yield* service.statistics({ model: "gather" })
    assert.deepStrictEqual([counts!.inference_stats.success.count, counts!.inference_stats.fail.count], [2, 1])
  }).pipe(Effect.provide(layer(`${fixtures}/more/gather.onnx`)))
)

it.live("waits for others as long as it is told to, and not once the batch is full", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    for (const [model, max_queue_delay_microseconds] of [
      ["patient", 600_000_000],
      ["quick", 300_000]
    ] as const) {
      Folder.put(folder, `${model}/1/model.onnx`, { model: "more/double" })
      const dynamic_batching = { max_queue_delay_microseconds }
      Folder.put(folder, `${model}/config.json`, JSON.stringify({ max_batch_size: 3, dynamic_batching }))
    }
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const answers = (model: string, requests: number) =>
        all(Array.from({ length: requests }, () => ask(service, { model }, x(1, Float32Array.of(1)))))
      const start = performance.now()
      yield* answers("quick", 2)
      assert.isAtLeast(performance.now() - start, 299)
      // For ten minutes, if it were not full.
      assert.lengthOf(yield* answers("patient", 3), 3)
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("refuses beyond its limit, and lets go what is late or taken back", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "loop/1/model.onnx", { model: "loop" })
    const dynamic_batching = { default_queue_policy: { max_queue_size: 3 } }
    Folder.put(folder, "loop/config.json", JSON.stringify({ dynamic_batching }))
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const loop = { model: "loop" }
      const running = ask(service, loop, sines(5_000_000))
      while ((yield* service.statistics(loop))[0]!.waiting > 0) yield* Effect.sleep("1 millis")
      const start = performance.now()
      const late = ask(service, loop, sines(1), start + 60)
      const back = ask(service, loop, sines(1))
      const kept = ask(service, loop, sines(1))
      const fourth = yield* ask(service, loop, sines(1)).answer
      assert.strictEqual(failure(fourth), "Overloaded")
      back.cancel()
      const takesItsPlace = ask(service, loop, sines(1))
      assert.strictEqual(failure(yield* late.answer), "DeadlineExceeded")
      assert.isAtLeast(performance.now() - start, 59)
      assert.strictEqual((yield* service.statistics(loop))[0]!.execution_count, 0)
      const over = yield* ask(service, loop, sines(1), performance.now() - 1).answer
      assert.strictEqual(failure(over), "DeadlineExceeded")
      for (const { answer } of [running, kept, takesItsPlace]) {
        assert.isTrue(Result.isSuccess(yield* answer))
      }
      const [counts] = yield* service.statistics(loop)
      const { refused, expired, cancelled, waiting, execution_count } = counts!
      assert.deepStrictEqual([refused, expired, cancelled, waiting, execution_count], [1, 2, 1, 0, 3])
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live(
  "lets nothing wait longer than its settings say, but compute as long as it takes, and wait on where they delay",
  () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      const policy = { default_timeout_microseconds: 50_000 }
      for (const [model, default_queue_policy] of Object.entries({
        reject: policy,
        delay: { ...policy, timeout_action: "DELAY" }
      })) {
        Folder.put(folder, `${model}/1/model.onnx`, { model: "loop" })
        Folder.put(folder, `${model}/config.json`, JSON.stringify({ dynamic_batching: { default_queue_policy } }))
      }
      yield* Effect.gen(function* () {
        const service = yield* DataPlane
        for (const [model, waited] of [
          ["reject", "DeadlineExceeded"],
          ["delay", "answered"]
        ] as const) {
          const slow = ask(service, { model }, sines(1_000_000))
          while ((yield* service.statistics({ model }))[0]!.waiting > 0) yield* Effect.sleep("1 millis")
          const start = performance.now()
          const answers = yield* all([slow, ask(service, { model }, sines(1))])
          assert.isAbove(performance.now() - start, 60)
          assert.deepStrictEqual(answers.map(failure), ["answered", waited])
          // A deadline of the client's own is one for the answer.
          const own = yield* ask(service, { model }, sines(1_000_000), performance.now() + 60).answer
          assert.strictEqual(failure(own), "DeadlineExceeded")
        }
      }).pipe(Effect.provide(layer(folder)))
    }).pipe(Effect.scoped)
)

it.live("lets wait as many as can be answered soon, by what executions took of late, and a few of any kind", () =>
  Effect.gen(function* () {
    const service = yield* DataPlane
    const loop = { model: "loop" }
    // Some 60 ms each, of which 25 ms may be waited for.
    const slow = sines(200_000)
    yield* ask(service, loop, slow).answer
    const underWay = ask(service, loop, slow)
    while ((yield* service.statistics(loop))[0]!.waiting > 0) yield* Effect.sleep("1 millis")
    const answers = yield* all(Array.from({ length: 30 }, () => ask(service, loop, slow)))
    assert.deepStrictEqual(
      answers.map((answered) => failure(answered)),
      Array.from({ length: 30 }, (_, i) => (i < 15 ? "answered" : "Overloaded"))
    )
    assert.isTrue(Result.isSuccess(yield* underWay.answer))
    assert.isUndefined(service.refusal(loop))
    // Of those that go together more may wait, for the next execution has room for them.
    const row = x(1, new Float32Array(2))
    yield* ask(service, { model: "sigmoid" }, row).answer
    const together = yield* all(Array.from({ length: 40 }, () => ask(service, { model: "sigmoid" }, row)))
    assert.deepStrictEqual(new Set(together.map(failure)), new Set(["answered"]))
  }).pipe(Effect.provide(layer(fixtures)))
)

it.live("puts large rows together only where it is told how many", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "open/1/model.onnx", { model: "more/open" })
    Folder.put(folder, "told/1/model.onnx", { model: "more/open" })
    Folder.put(folder, "told/config.json", JSON.stringify({ max_batch_size: 16 }))
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const wide = (): InferRequest => ({
        inputs: [{ name: "x", datatype: "FP32", shape: [1, 100_000], data: new Float32Array(100_000) }]
      })
      for (const [model, executions] of [
        ["open", 3],
        ["told", 1]
      ] as const) {
        yield* all(Array.from({ length: 6 }, () => ask(service, { model }, wide())))
        const [counts] = yield* service.statistics({ model })
        assert.strictEqual(counts!.execution_count, executions)
      }
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("gives rows of text back to whom they belong", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "texts.onnx", { model: "more/texts" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const texts = (...data: Array<string>): InferTensor => ({
        name: "x",
        datatype: "BYTES",
        shape: [data.length],
        data
      })
      const asked = [texts("a", "ü"), texts(""), texts("c")].map((input) =>
        ask(service, { model: "texts" }, { inputs: [input] })
      )
      const answers = yield* all(asked)
      const data = answers.map((answered) => Result.getOrThrow(answered).outputs[0]!.data)
      assert.deepStrictEqual(data, [["a", "ü"], [""], ["c"]])
      const [counts] = yield* service.statistics({ model: "texts" })
      assert.strictEqual(counts!.execution_count, 1)
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("keeps apart what has not as many rows in each of its inputs", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "pair.onnx", { model: "more/pair" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const pair = (x: ReadonlyArray<number>, z: ReadonlyArray<number>): InferRequest => ({
        inputs: [
          { name: "x", datatype: "FP32", shape: [x.length, 1], data: Float32Array.from(x) },
          { name: "z", datatype: "FP32", shape: [z.length, 1], data: Float32Array.from(z) }
        ]
      })
      // Together they would have three rows of each, and each other's.
      const asked = [pair([1], [10, 20]), pair([2, 3], [30]), pair([4], [40]), pair([5], [50])]
      const answers = yield* all(asked.map((request) => ask(service, { model: "pair" }, request)))
      const data = answers.map((answered) => Result.getOrThrow(answered).outputs.map(({ data }) => [...data]))
      assert.deepStrictEqual(data, [
        [[2], [20, 40]],
        [[4, 6], [60]],
        [[8], [80]],
        [[10], [100]]
      ])
      const [counts] = yield* service.statistics({ model: "pair" })
      assert.strictEqual(counts!.execution_count, 3)
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("takes a deadline that is further than a timer reaches", () =>
  Effect.gen(function* () {
    const service = yield* DataPlane
    for (const days of [24, 25, 400_000]) {
      const deadline = performance.now() + days * 86_400_000
      const running = ask(service, { model: "loop" }, sines(100_000), deadline)
      const queued = ask(service, { model: "loop" }, sines(1), deadline)
      const answers = yield* all([running, queued])
      assert.deepStrictEqual(answers.map(failure), ["answered", "answered"], `${days} days`)
    }
  }).pipe(Effect.provide(layer(`${fixtures}/loop.onnx`)))
)

it.live("takes tensors of no elements, however long they say they are, and counts no rows of them", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "open.onnx", { model: "more/open" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const empty = (shape: ReadonlyArray<number>): InferRequest => ({
        inputs: [{ name: "x", datatype: "FP32", shape, data: new Float32Array(0) }]
      })
      for (const rows of [0, 1, 4_000_000_000]) {
        const [answered] = yield* all([ask(service, { model: "open" }, empty([rows, 0]))])
        const { outputs } = Result.getOrThrow(answered!)
        assert.deepStrictEqual(outputs[0], { name: "y", datatype: "FP32", shape: [rows, 0], data: new Float32Array(0) })
      }
      const [counts] = yield* service.statistics({ model: "open" })
      assert.strictEqual(counts!.inference_count, 0)
      assert.deepStrictEqual(
        counts!.batch_stats.map(({ batch_size }) => batch_size),
        [0]
      )
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("counts few sizes of executions, however many there are", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m.onnx", { model: "more/double" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const sizes = [1, 2, 255, 256, 257, 300, 512, 513, 1024, 70_000]
      for (const rows of sizes) yield* all([ask(service, { model: "m" }, x(rows, new Float32Array(rows)))])
      const [counts] = yield* service.statistics({ model: "m" })
      assert.deepStrictEqual(
        counts!.batch_stats.map(({ batch_size, compute_infer }) => [batch_size, compute_infer.count]),
        [
          [1, 1],
          [2, 1],
          [255, 1],
          [256, 1],
          [512, 3],
          [1024, 2],
          [131_072, 1]
        ]
      )
      const rows = sizes.reduce((sum, size) => sum + size, 0)
      assert.strictEqual(counts!.inference_count, rows)
      const metrics = yield* Effect.promise(() => Metrics.read([counts!]).metrics())
      for (const line of ['bucket{model="m",version="1",le="512"} 7', `sum{model="m",version="1"} ${rows}`]) {
        assert.include(metrics, `rai_inference_batch_rows_${line}\n`)
      }
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("counts answers by the time that they took", () =>
  Effect.gen(function* () {
    const service = yield* DataPlane
    for (const turns of [1, 1, 400_000]) yield* all([ask(service, { model: "loop" }, sines(turns))])
    const [counts] = yield* service.statistics({ model: "loop" })
    const metrics = yield* Effect.promise(() => Metrics.read([counts!]).metrics())
    const name = "nv_inference_first_response_histogram_ms"
    const labels = 'model="loop",version="1"'
    assert.include(metrics, `# TYPE ${name} histogram\n`)
    const samples = [...metrics.matchAll(new RegExp(`${name}_bucket{${labels},le="([^"]+)"} (\\d+)`, "g"))]
    const within = samples.map(
      ([, bound, count]) => [Number(bound?.replace("+Inf", "Infinity")), Number(count)] as const
    )
    assert.deepStrictEqual(within.at(-1), [Number.POSITIVE_INFINITY, 3])
    // Each bucket holds those before it, and what it says of the sum is so.
    const sum = counts!.inference_stats.success.ns / 1e6
    let [before, least, most, count] = [0, 0, 0, 0]
    for (const [bound, all] of within) {
      assert.isAtLeast(all, count)
      least += (all - count) * before
      most += (all - count) * bound || 0
      ;[before, count] = [bound, all]
    }
    assert.isAtLeast(sum, least)
    assert.isAtMost(sum, most)
    assert.include(metrics, `${name}_sum{${labels}} ${sum}\n${name}_count{${labels}} 3\n`)
    // The third takes some 100 ms.
    assert.isBelow(within.find(([bound]) => bound === 2.5)![1], 3)
  }).pipe(Effect.provide(layer(`${fixtures}/loop.onnx`)))
)
