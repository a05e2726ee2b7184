import { Circuit, Moons, Plan, PlanSpec, TfjsEngine, Training, Cost, Programs, Phase, Rewrite, Simplify } from "./src/index.ts"
import { Effect, Stream } from "effect"
const [act, seed, planText] = [process.argv[2] as Circuit.Activation, Number(process.argv[3]), process.argv[4]]
const program = Effect.gen(function*() {
  const data = yield* Moons.make({ examples: 100, noise: 0.1, seed: 42 })
  const circuit = Circuit.perceptron([2, ...Array(100).fill(100), 1], { activation: act })
  const plan = planText ? yield* PlanSpec.parse(planText) : Plan.auto(circuit)
  console.log(Plan.print(plan))
  const t0 = performance.now()
  yield* Stream.runForEach(Training.stream(circuit, data, { plan, seed }), (e) => Effect.sync(() => {
    if (e._tag === "Step" && e.measurement) console.log(e.phase.kind, e.progress.step, e.progress.seconds.toFixed(2), e.measurement.relaxedLoss, e.measurement.freeRunLoss, e.measurement.freeRunAccuracy)
    if (e._tag === "Finished") console.log("done", e.solved, e.progress.total, (performance.now() - t0).toFixed(0), "ms", e.measurement.freeRunLoss)
  }))
})
Effect.runPromise(program.pipe(Effect.provide(TfjsEngine.layerNative)))
