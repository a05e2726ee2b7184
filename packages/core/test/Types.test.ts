/**
 * What the compiler infers about a pipeline: names, settings, failures and services, without annotations by its author.
 */
import { expectTypeOf, test } from "@effect/vitest"
import {
  Circuit,
  type DataInvalid,
  type Dataset,
  type Engine,
  Moons,
  Plan,
  Program,
  ReferenceEngine,
  Score,
  type Shape,
  type ShapeMismatch,
  type Tensor,
  type TfjsEngine,
  type Trained,
  Training,
  type TrainingEvent
} from "@rai/core"
import { Effect, FileSystem, type Layer, Schema, type Stream } from "effect"

// Nothing here runs: the pipelines exist only for the type checker.
const circuit = Circuit.perceptron([2, 4, 1])
const data = {} as Dataset.Dataset
const trained = {} as Trained.Trained

class Full extends Schema.TaggedError<Full>()("Full", {}) {}

test("a formula has the inputs that its signature names, and no others", () => {
  Program.make({ z: ["batch", 3], w: { shape: [3, 2], dtype: "float" } }, (inputs) => {
    expectTypeOf(inputs).toEqualTypeOf<{ readonly z: Tensor.Tensor; readonly w: Tensor.Tensor }>()
    // @ts-expect-error: there is no input v
    inputs.v
    return { y: inputs.z.matMul(inputs.w) }
  })
  expectTypeOf(Program.make({}, () => ({}))).toEqualTypeOf<Effect.Effect<Program.Program, ShapeMismatch>>()
})

test("a circuit's activation is one of those there are", () => {
  Circuit.perceptron([2, 4, 1], { activation: "tanh" })
  // @ts-expect-error: misspelt
  ;() => Circuit.perceptron([2, 4, 1], { activation: "thanh" })
  // @ts-expect-error: no setting of a perceptron
  Circuit.perceptron([2, 4, 1], { depth: 3 })
})

test("widths that are written down are held to each other, and known of what they make", () => {
  const { layerNorm, linear, residual, repeat, sequence, stage, tanh } = Circuit
  expectTypeOf(sequence(linear(2, 3), tanh, layerNorm(3), linear(3, 1))).toExtend<Circuit.Widths<2, 1>>()
  expectTypeOf(sequence(tanh, repeat(sequence(linear(3, 3), tanh), 4))).toExtend<Circuit.Widths<3, 3>>()
  expectTypeOf(Circuit.perceptron([2, ...Array<number>(9).fill(8), 3])).toExtend<Circuit.Widths<2, 3>>()
  expectTypeOf(sequence(linear(2, 3), linear(3, 1))).not.toExtend<Circuit.Widths<2, 3>>()
  // @ts-expect-error: 3 come, and 4 are taken
  sequence(linear(2, 3), tanh, linear(4, 1))
  // @ts-expect-error: within another too
  sequence(sequence(linear(2, 3), tanh), sequence(linear(4, 1)))
  // @ts-expect-error: 8 come
  sequence(Circuit.perceptron([2, 8]), layerNorm(4))
  // @ts-expect-error: what goes around is 3 wide, what comes back 1
  residual(linear(3, 1))
  // @ts-expect-error: the second turn would not fit the first
  repeat(sequence(linear(3, 4), tanh), 2)
  // What nobody has written down is held to nothing.
  const n: number = 4
  const some: ReadonlyArray<Circuit.Circuit> = [linear(9, 9)]
  sequence(linear(2, n), linear(5, 1))
  sequence(
    linear(2, 3),
    stage("twice", (z) => z.add(z)),
    linear(4, 1)
  )
  expectTypeOf(sequence(linear(2, 3), ...some, linear(4, 1))).toExtend<Circuit.Sequence>()
})

test("plans are joined subject first or in a pipe", () => {
  const next = Plan.backpropagate({ steps: 1 })
  expectTypeOf(Plan.andThen(Plan.relax({ steps: 1 }), next)).toEqualTypeOf<Plan.Plan>()
  expectTypeOf(Plan.relax({ steps: 1 }).pipe(Plan.andThen(next))).toEqualTypeOf<Plan.Plan>()
  // @ts-expect-error: a phase needs its length
  ;() => Plan.relax({})
})

test("an option that may be undefined can be passed on", () => {
  const asked = {} as Parameters<typeof Plan.relax>[0] & Training.Options
  Plan.relax({ steps: 1, loss: asked.loss, curve: asked.curve, optimizer: asked.optimizer })
  Training.run(circuit, data, {
    plan: asked.plan,
    seed: asked.seed,
    onEvent: asked.onEvent,
    onSnapshot: asked.onSnapshot
  })
})

test("training says how it can fail and that it needs an engine, and adds what callbacks need", () => {
  expectTypeOf(Training.fit(circuit, data)).toEqualTypeOf<
    Effect.Effect<Trained.Trained, Training.TrainingError, Engine.Engine>
  >()
  const told = Training.stream(circuit, data, { onEvent: () => Effect.fail(new Full()) })
  expectTypeOf(told).toEqualTypeOf<
    Stream.Stream<TrainingEvent.TrainingEvent, Training.TrainingError | Full, Engine.Engine>
  >()
  const kept = Training.fit(circuit, data, { onSnapshot: () => Effect.asVoid(FileSystem.FileSystem) })
  expectTypeOf<Effect.Services<typeof kept>>().toEqualTypeOf<Engine.Engine | FileSystem.FileSystem>()
})

test("each failure can be caught by its name, and is gone then", () => {
  const caught = Training.fit(circuit, data).pipe(
    Effect.catchTag("NumbersLost", ({ step }) => Effect.succeed(step)),
    Effect.catchTag(["ShapeMismatch", "EngineFailed", "CallbackFailed"], () => Effect.succeed(undefined))
  )
  expectTypeOf(caught).toEqualTypeOf<
    Effect.Effect<Trained.Trained | number | undefined, Training.Unfit, Engine.Engine>
  >()
})

test("an event's kind decides what it holds", () => {
  const steps = (event: TrainingEvent.TrainingEvent) => (event._tag === "Step" ? event.steps : undefined)
  expectTypeOf(steps).returns.toEqualTypeOf<number | undefined>()
  // @ts-expect-error: only an event that is known to be a step has a number of steps
  ;(event: TrainingEvent.TrainingEvent) => event.steps
})

test("an engine's layer gives the engine, and says what may be missing", () => {
  expectTypeOf(ReferenceEngine.layer).toEqualTypeOf<Layer.Layer<Engine.Engine>>()
  expectTypeOf<Layer.Success<typeof TfjsEngine.layer>>().toEqualTypeOf<Engine.Engine>()
  expectTypeOf<Layer.Error<typeof TfjsEngine.layer>["_tag"]>().toEqualTypeOf<"BackendMissing">()
})

test("a pipeline's type is the sum of its parts", () => {
  const pipeline = Effect.gen(function* () {
    const points = yield* Moons.make({ examples: 10 })
    const fitted = yield* Training.fit(circuit, points, { plan: Plan.auto(circuit) })
    return yield* Score.score(fitted, points)
  })
  expectTypeOf(pipeline).toEqualTypeOf<
    Effect.Effect<Score.Score, Training.TrainingError | DataInvalid, Engine.Engine>
  >()
  expectTypeOf(pipeline.pipe(Effect.provide(ReferenceEngine.layer))).toEqualTypeOf<
    Effect.Effect<Score.Score, Training.TrainingError | DataInvalid>
  >()
  // @ts-expect-error: what still needs an engine does not run
  ;() => Effect.runPromise(Score.score(trained, data))
})

test("a shape is numbers and names", () => {
  expectTypeOf<["batch", 3]>().toExtend<Shape.Shape>()
  expectTypeOf<[true]>().not.toExtend<Shape.Shape>()
})
