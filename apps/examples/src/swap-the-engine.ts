/**
 * One program on any engine, with a time limit, a retry and a race around it, as around any effect.
 */
import { runMain } from "@effect/platform-node/NodeRuntime"
import { Circuit, Engine, FreeRun, Initializer, NdArray, ReferenceEngine, TfjsEngine } from "@rai/core"
import { Console, Effect } from "effect"

const circuit = Circuit.perceptron([2, 16, 16, 1], { activation: "tanh" })
const x = NdArray.make([3, 2], [0, 0, 1, 0, 0, 1])

/** A program that requires an engine, without saying which. */
const answer = Effect.gen(function* () {
  const engine = yield* Engine.Engine
  const freeRun = yield* FreeRun.program(circuit)
  const { output } = yield* engine.run(freeRun, { ...Initializer.pytorch(circuit, 0), x })
  return { engine: engine.name, logits: Array.from(output!.data) }
})

const onTfjs = answer.pipe(Effect.retry({ times: 2 }), Effect.timeout("10 seconds"), Effect.provide(TfjsEngine.layer))
const onReference = answer.pipe(Effect.provide(ReferenceEngine.layer))

const program = Effect.gen(function* () {
  const [a, b] = yield* Effect.all([onTfjs, onReference])
  const difference = Math.max(...a.logits.map((logit, i) => Math.abs(logit - b.logits[i]!)))
  yield* Console.log(`${a.engine} and ${b.engine} differ by ${difference < 1e-5 ? "less" : "more"} than 1e-5`)
  const first = yield* Effect.race(onTfjs, onReference)
  yield* Console.log(`the first to answer was ${first.engine.replace(/-.*/, "")}`)
})

runMain(program)
