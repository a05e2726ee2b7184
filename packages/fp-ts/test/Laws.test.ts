import { assert, describe, it } from "@effect/vitest"
import { Circuit, Phase, Plan, ReferenceEngine, type Start, type TrainingEvent } from "@rai/core"
import { Engine, Pipeline, Plans, Results } from "@rai/fp-ts"
import { Effect, Layer } from "effect"
import fc from "fast-check"
import * as E from "fp-ts/lib/Either.js"
import { pipe } from "fp-ts/lib/function.js"
import * as RTE from "fp-ts/lib/ReaderTaskEither.js"

const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })

describe("plans as a monoid", () => {
  const { concat, empty } = Plans.Monoid
  const phase = fc.oneof(
    fc.nat(9).map((n) => Phase.relax({ steps: n + 1 })),
    fc.nat(9).map((n) => Phase.backpropagate({ steps: n + 1 }))
  )
  const said: fc.Arbitrary<Plan.Said> = fc.record(
    {
      start: fc.constantFrom<Start.Name>("pytorch", "orthogonal", "sweep"),
      coordinates: fc.constantFrom("plain", "tanh"),
      stop: fc.constantFrom(undefined, { loss: 0.1 }, { loss: 0.2, accuracy: 1 })
    },
    { requiredKeys: [] }
  )
  // Also plans without phases that say something, as whoever builds one up has them on the way.
  const plan = fc.record({ phases: fc.array(phase, { maxLength: 3 }), said }).map((parts) => new Plan.Plan(parts))
  const equal = (a: Plan.Plan, b: Plan.Plan) =>
    assert.deepStrictEqual(
      [a.phases.map(Phase.print), a.start, a.coordinates, a.stop, Object.keys(a.said).sort()],
      [b.phases.map(Phase.print), b.start, b.coordinates, b.stop, Object.keys(b.said).sort()]
    )

  it("is associative", () =>
    fc.assert(fc.property(plan, plan, plan, (a, b, c) => equal(concat(concat(a, b), c), concat(a, concat(b, c))))))

  it("has the empty plan on the left and on the right", () =>
    fc.assert(
      fc.property(plan, (a) => {
        equal(concat(empty, a), a)
        equal(concat(a, empty), a)
      })
    ))

  it("keeps the phases in order, and what the first says", () => {
    const sum = concat(Plan.relax({ steps: 1 }).pipe(Plan.stoppingAt({ loss: 0.5 })), Plan.auto(circuit))
    assert.strictEqual(sum.phases.length, 3)
    assert.deepStrictEqual([sum.start, sum.coordinates, sum.stop], ["orthogonal", "plain", { loss: 0.5 }])
  })
})

describe("results as a semigroup", () => {
  const loss = fc.oneof(
    fc.constantFrom(0.1, 0.2, Number.NaN, Number.POSITIVE_INFINITY),
    fc.double({ min: 0, max: 1, noNaN: true })
  )
  const result = fc
    .record({ freeRunLoss: loss, validationLoss: fc.option(loss, { nil: undefined }) })
    .map((measurement) => ({ _tag: "Finished", measurement }) as TrainingEvent.Finished)
  const { concat } = Results.best

  it("is associative, also among equal losses and among losses that are no numbers", () =>
    fc.assert(
      fc.property(result, result, result, (a, b, c) =>
        assert.strictEqual(concat(concat(a, b), c), concat(a, concat(b, c)))
      ),
      { numRuns: 1000 }
    ))

  it("is idempotent, and never worse than either", () =>
    fc.assert(
      fc.property(result, result, (a, b) => {
        assert.strictEqual(concat(a, a), a)
        assert.isAtMost(Results.loss(concat(a, b)), Math.min(Results.loss(a), Results.loss(b)))
      })
    ))

  it("is judged by validation data where there are any", () => {
    const of = (freeRunLoss: number, validationLoss?: number) =>
      ({ measurement: { freeRunLoss, validationLoss } }) as TrainingEvent.Finished
    const [learnedByHeart, learned] = [of(0.01, 0.9), of(0.2, 0.3)]
    assert.strictEqual(concat(learnedByHeart, learned), learned)
    assert.strictEqual(concat(of(Number.NaN), learned), learned)
  })
})

describe("pipelines as a monad", () => {
  type Program = Effect.Effect<number, string, Pipeline.Services>
  const program: fc.Arbitrary<Program> = fc.oneof(
    fc.integer().map((n): Program => Effect.succeed(n)),
    fc.string().map((reason): Program => Effect.fail(reason)),
    fc.integer().map((n): Program => Effect.as(Effect.yieldNow, n))
  )
  const kleisli: fc.Arbitrary<(n: number) => Program> = fc.func(program)
  const outcome = <E1, A>(pipeline: RTE.ReaderTaskEither<Engine.Engine, E1, A>) =>
    pipe(pipeline, Engine.using(ReferenceEngine.layer))()
  const equal = async <E1, A>(
    a: RTE.ReaderTaskEither<Engine.Engine, E1, A>,
    b: RTE.ReaderTaskEither<Engine.Engine, E1, A>
  ) => assert.deepStrictEqual(await outcome(a), await outcome(b))
  const { fromEffect } = Pipeline

  it("of is succeed", () =>
    fc.assert(fc.asyncProperty(fc.integer(), (n) => equal(fromEffect(Effect.succeed(n)), RTE.of(n)))))

  it("left is fail", () =>
    fc.assert(fc.asyncProperty(fc.string(), (reason) => equal(fromEffect(Effect.fail(reason)), RTE.left(reason)))))

  it("flatMap on either side is the same", () =>
    fc.assert(
      fc.asyncProperty(program, kleisli, (m, f) =>
        equal(
          fromEffect(Effect.flatMap(m, f)),
          pipe(
            fromEffect(m),
            RTE.flatMap((n) => fromEffect(f(n)))
          )
        )
      )
    ))

  it("left identity, right identity, associativity", () =>
    fc.assert(
      fc.asyncProperty(fc.integer(), program, kleisli, kleisli, async (n, program, f, g) => {
        const [m, F, G] = [fromEffect(program), (x: number) => fromEffect(f(x)), (x: number) => fromEffect(g(x))]
        await equal(pipe(RTE.of(n), RTE.flatMap(F)), F(n))
        await equal(pipe(m, RTE.flatMap(RTE.of)), m)
        await equal(
          pipe(m, RTE.flatMap(F), RTE.flatMap(G)),
          pipe(
            m,
            RTE.flatMap((x) => pipe(F(x), RTE.flatMap(G)))
          )
        )
      })
    ))

  it("the environment is the engine that was opened", async () => {
    const name = RTE.asks(({ service }: Engine.Engine) => service.name)
    assert.deepStrictEqual(await outcome(name), E.right("reference"))
    const failing = Layer.effectContext(Effect.fail("no engine" as const))
    assert.deepStrictEqual(await pipe(name, Engine.using(failing))(), E.left("no engine"))
  })
})
