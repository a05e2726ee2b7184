import { assert, beforeAll, describe, it } from "@effect/vitest"
import {
  Circuit,
  Score as CoreScore,
  Training as CoreTraining,
  type Dataset,
  Moons,
  Phase,
  type PhaseRun,
  Plan,
  ReferenceEngine,
  Safetensors,
  Sgd
} from "@rai/core"
import { Engine, type Pipeline, Plans, type RaiError, Score, Training } from "@rai/fp-ts"
import { Effect, Stream } from "effect"
import * as E from "fp-ts/lib/Either.js"
import { pipe } from "fp-ts/lib/function.js"
import { concatAll } from "fp-ts/lib/Monoid.js"
import * as RTE from "fp-ts/lib/ReaderTaskEither.js"
import * as TE from "fp-ts/lib/TaskEither.js"
import * as Counting from "./Counting.ts"

const circuit = Circuit.perceptron([2, 6, 6, 1], { activation: "tanh" })
const plan = Plan.relax({ steps: 20 }).pipe(Plan.andThen(Plan.backpropagate({ steps: 20 })))
let data: Dataset.Dataset

beforeAll(async () => {
  data = await Effect.runPromise(Moons.make({ examples: 30, seed: 1 }))
})

const on =
  (layer = ReferenceEngine.layer) =>
  <A>(pipeline: Pipeline.Pipeline<A>) =>
    pipe(pipeline, Engine.using(layer))()
const right = async <A>(pipeline: Pipeline.Pipeline<A>): Promise<A> =>
  pipe(
    await on()(pipeline),
    E.getOrElse((error: RaiError): A => {
      throw error
    })
  )
const message = async <A>(pipeline: Pipeline.Pipeline<A>): Promise<string> =>
  pipe(
    await on()(pipeline),
    E.match(
      (error: RaiError) => error.message,
      () => "a right came"
    )
  )

describe("Training", () => {
  it("does what the program of core does, to the bit", async () => {
    const program = Effect.gen(function* () {
      const trained = yield* CoreTraining.fit(circuit, data, { plan, seed: 3 })
      return { trained, score: yield* CoreScore.score(trained, data) }
    })
    const expected = await Effect.runPromise(Effect.provide(program, ReferenceEngine.layer))
    const came = await right(
      pipe(
        Training.fit(circuit, data, { plan, seed: 3 }),
        RTE.bindTo("trained"),
        RTE.bind("score", ({ trained }) => Score.score(trained, data)),
        RTE.bind("logits", ({ trained }) => Score.predict(trained, data.inputs))
      )
    )
    assert.deepStrictEqual(came.trained.parameters, expected.trained.parameters)
    assert.deepStrictEqual(came.score, expected.score)
    assert.deepStrictEqual(came.logits.shape, [30, 1])
  })

  it("ends with what was measured, and tells each event before", async () => {
    const told: Array<string> = []
    const { measurement, progress, trained } = await right(
      Training.run(circuit, data, {
        plan,
        seed: 3,
        onEvent:
          ({ _tag }) =>
          () =>
            void told.push(_tag)
      })
    )
    assert.deepStrictEqual([progress.total, trained.origin.seed], [40, 3])
    assert.isFinite(measurement.freeRunLoss)
    assert.strictEqual(told.filter((tag) => tag === "Step").length, 42) // the start of each of two phases is told too
  })

  it("refuses the sum of no plans", async () => {
    const nothing = concatAll(Plans.Monoid)([])
    assert.strictEqual(
      await message(Training.fit(circuit, data, { plan: nothing })),
      "expected a phase in the plan, but none came; add one, as in Plan.relax({ steps: 250 })"
    )
  })

  it("tells a left by its tag", async () => {
    const tooWide = Circuit.perceptron([3, 4, 1], { activation: "tanh" })
    const hot = Plan.make(Phase.relax({ steps: 50, interval: 1, optimizer: Sgd.make(1e200) }))
    const tags = await Promise.all(
      [Training.fit(tooWide, data, { plan }), Training.fit(circuit, data, { plan: hot })].map(async (pipeline) =>
        pipe(
          await on()(pipeline),
          E.match(
            ({ _tag }) => _tag,
            () => "right"
          )
        )
      )
    )
    assert.deepStrictEqual(tags, ["WidthsMismatch", "NumbersLost"])
  })

  it("a callback that throws ends the run with a left that says where, and the engine is given back", async () => {
    const { counts, layer } = Counting.make()
    const onEvent = ({ progress }: { readonly progress: { readonly total: number } }) => {
      if (progress.total === 25) throw new Error("the disk is full")
      return () => undefined
    }
    const came = await on(layer)(Training.fit(circuit, data, { plan, onEvent }))
    assert.isTrue(E.isLeft(came))
    assert.strictEqual(
      E.isLeft(came) ? came.left.message : "",
      "expected onEvent to end or to fail, but it threw at step 5 of backpropagate: Error: the disk is full; see to it, and go on from the last snapshot"
    )
    assert.deepStrictEqual(counts, { opened: 1, closed: 1, sessions: 2, ended: 2 })
  })

  it("a callback that is a task is waited for, and its rejection is a left too", async () => {
    const told: Array<number> = []
    const onEvent =
      ({ progress: { total } }: { readonly progress: { readonly total: number } }) =>
      async () => {
        await Promise.resolve()
        if (total === 25) throw new Error("the disk is full")
        told.push(total)
      }
    assert.include(
      await message(Training.fit(circuit, data, { plan, onEvent })),
      "it threw at step 5 of backpropagate: Error: the disk is full"
    )
    assert.strictEqual(told.at(-1), 24)
  })

  it("a run that is cancelled leaves a snapshot, from which it goes on to the same bits", async () => {
    const long = Plan.relax({ steps: 300 })
    const whole = await right(Training.fit(circuit, data, { plan: long, seed: 5 }))
    const controller = new AbortController()
    let snapshot: PhaseRun.Snapshot | undefined
    const cancelled = pipe(
      Training.fit(circuit, data, {
        plan: long,
        seed: 5,
        onEvent: (event) => () => {
          if (event.progress.step === 100) controller.abort(new Error("that is enough"))
        },
        onSnapshot: (last) =>
          TE.fromIO(() => {
            snapshot = last
          })
      }),
      Engine.cancelledBy(controller.signal)
    )
    const { counts, layer } = Counting.make()
    const came = await on(layer)(cancelled)
    assert.deepStrictEqual(
      pipe(
        came,
        E.mapLeft(({ _tag, message }) => [_tag, message])
      ),
      E.left([
        "Cancelled",
        "expected the pipeline to end, but it was cancelled («that is enough»); run it again, or go on from its last snapshot"
      ])
    )
    assert.deepStrictEqual(counts, { opened: 1, closed: 1, sessions: 1, ended: 1 })
    assert.isAtLeast(snapshot!.progress.step, 100)
    assert.isBelow(snapshot!.progress.step, 300)
    const resumed = await right(Training.fit(circuit, data, { plan: long, seed: 5, from: snapshot }))
    assert.deepStrictEqual(Safetensors.encode(resumed.parameters), Safetensors.encode(whole.parameters))
  })

  it("does not begin once it is cancelled, and either of two signals cancels", async () => {
    const told: Array<string> = []
    const fit = Training.fit(circuit, data, {
      plan,
      onEvent:
        ({ _tag }) =>
        () =>
          void told.push(_tag)
    })
    const [aborted, open] = [AbortSignal.abort("late"), new AbortController().signal]
    for (const [first, second] of [
      [aborted, open],
      [open, aborted]
    ] as const) {
      const came = await on()(pipe(fit, Engine.cancelledBy(first), Engine.cancelledBy(second)))
      assert.isTrue(E.isLeft(came) && came.left._tag === "Cancelled")
    }
    assert.deepStrictEqual(told, [])
  })

  it("a bug of the user's rejects the promise with the bug itself, and the engine is given back", async () => {
    const { counts, layer } = Counting.make()
    const bug = new TypeError("not a function")
    const broken = Circuit.sequence(
      Circuit.linear(2, 1),
      Circuit.stage("broken", () => {
        throw bug
      })
    )
    const inPipeline = on(layer)(Training.fit(broken, data, { plan }))
    assert.strictEqual(await inPipeline.catch((error) => error), bug)
    const between = on(layer)(
      pipe(
        Training.fit(circuit, data, { plan }),
        RTE.map(() => {
          throw bug
        })
      )
    )
    assert.strictEqual(await between.catch((error) => error), bug)
    assert.strictEqual(counts.opened, 2)
    assert.strictEqual(counts.closed, 2)
    assert.strictEqual(counts.sessions, counts.ended)
  })
})

describe("events", () => {
  const collect =
    (most = Number.POSITIVE_INFINITY) =>
    (events: AsyncIterable<E.Either<RaiError, { readonly _tag: string }>>) =>
    async () => {
      const tags: Array<string> = []
      for await (const event of events) {
        tags.push(
          pipe(
            event,
            E.match(
              ({ _tag }) => `left ${_tag}`,
              ({ _tag }) => _tag
            )
          )
        )
        if (tags.length === most) break
      }
      return tags
    }

  it("are those of the stream", async () => {
    const stream = Stream.runCollect(CoreTraining.stream(circuit, data, { plan, seed: 3 }))
    const expected = await Effect.runPromise(Effect.provide(stream, ReferenceEngine.layer))
    const came = await right(
      pipe(RTE.fromReader(Training.events(circuit, data, { plan, seed: 3 })), RTE.flatMapTask(collect()))
    )
    assert.deepStrictEqual(
      came,
      expected.map(({ _tag }) => _tag)
    )
  })

  it("end the run where the loop is left", async () => {
    const { counts, layer } = Counting.make()
    const came = await on(layer)(
      pipe(RTE.fromReader(Training.events(circuit, data, { plan })), RTE.flatMapTask(collect(3)))
    )
    assert.deepStrictEqual(came, E.right(["Step", "Step", "Step"]))
    assert.deepStrictEqual(counts, { opened: 1, closed: 1, sessions: 1, ended: 1 })
  })

  it("end with a left where the run fails, and where it is cancelled", async () => {
    const failing = RTE.fromReader(Training.events(circuit, data, { plan: Plans.Monoid.empty }))
    assert.deepStrictEqual(await right(pipe(failing, RTE.flatMapTask(collect()))), ["left PlanUnfit"])
    const controller = new AbortController()
    const cancelled = pipe(
      RTE.fromReader(
        Training.events(circuit, data, {
          plan: Plan.relax({ steps: 100_000 }),
          onEvent:
            ({ progress }) =>
            () => {
              if (progress.step === 10) controller.abort()
            }
        })
      ),
      RTE.flatMapTask(collect()),
      Engine.cancelledBy(controller.signal)
    )
    const { counts, layer } = Counting.make()
    const came = await on(layer)(cancelled)
    assert.strictEqual(
      pipe(
        came,
        E.match(String, (tags) => tags.at(-1))
      ),
      "left Cancelled"
    )
    assert.deepStrictEqual(counts, { opened: 1, closed: 1, sessions: 1, ended: 1 })
  })
})
