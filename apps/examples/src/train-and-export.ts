/**
 * From data to a model: moons, a circuit, a plan, an ONNX file with its parity record beside it.
 */
import { runMain } from "@effect/platform-node/NodeRuntime" // the package's barrel needs redis
import { Circuit, Moons, Plan, Score, TfjsEngine, Training } from "@rai/core"
import { Onnx } from "@rai/export"
import { Console, Effect } from "effect"

const program = Effect.gen(function* () {
  const data = yield* Moons.make({ examples: 100, noise: 0.1, seed: 42 })
  const circuit = Circuit.perceptron([2, ...Array(20).fill(32), 1], { activation: "sigmoid" })
  const plan = Plan.auto(circuit) // or your own: Plan.relax({ steps: 250 }).pipe(Plan.andThen(Plan.backpropagate({ steps: 400 })))
  const trained = yield* Training.fit(circuit, data, { plan, seed: 0 }) // or Training.stream: one event per step
  const { examples, maxAbsDifference } = yield* Onnx.write(trained, "moons.onnx", { samples: data.inputs })

  const fresh = yield* Moons.make({ examples: 1000, noise: 0.1, seed: 2024 })
  const { accuracy } = yield* Score.score(trained, fresh)
  yield* Console.log(`${Plan.print(plan)}: accuracy ${accuracy} on 1000 fresh points`)
  yield* Console.log(`moons.onnx: at most ${maxAbsDifference} from the free run on ${examples} examples`)
})

program.pipe(Effect.provide(TfjsEngine.layer), runMain)
