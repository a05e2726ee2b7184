/** A small convolutional network on handwritten digits: trained by backpropagation, then relaxed in mini-batches with a cut after each map. */
import { runMain } from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Rai from "@rai/core"
import { Console, Effect, Layer } from "effect"

const { batchNorm, conv2d, flatten, linear, maxPool2d, relu, sequence, unflatten } = Rai.Circuit

const circuit = sequence(
  unflatten({ channels: 1, height: 8, width: 8 }),
  conv2d({ channels: 1, filters: 8, kernel: 3, padding: 1, bias: false }),
  batchNorm(8),
  relu,
  maxPool2d({ kernel: 2 }),
  conv2d({ channels: 8, filters: 16, kernel: 3, padding: 1, bias: false }),
  batchNorm(16),
  relu,
  maxPool2d({ kernel: 2 }),
  flatten,
  linear(64, 10)
)

const program = Effect.gen(function* () {
  yield* Console.log(`${Rai.Circuit.print(circuit)}; cut at ${[...Rai.Cut.sites(circuit, Rai.Cut.paper)].join(", ")}`)
  const { test, train } = yield* Rai.Dataset.split(yield* Rai.Digits.make(), { share: 0.2 })
  const backpropagate = Rai.Plan.backpropagate({ epochs: 8, batch: 64, optimizer: Rai.Adam.make(0.005) })
  for (const plan of [backpropagate, Rai.Plan.alternate({ epochs: 8, batch: 64 })]) {
    const trained = yield* Rai.Training.fit(circuit, train, { plan, seed: 0 })
    const logits = yield* Rai.Score.predict(trained, test.inputs)
    const predicted = Rai.Classification.largest(logits)
    const confusion = Rai.Classification.confusionMatrix(Rai.Dataset.labels(test), predicted, 10)
    const [accuracy, f1] = [Rai.Classification.balancedAccuracy(confusion), Rai.Classification.macroF1(confusion)]
    yield* Console.log(
      `${Rai.Plan.print(plan)}: balanced accuracy ${accuracy.toFixed(3)}, F1 ${f1.toFixed(3)} on digits never seen`
    )
  }
})

program.pipe(Effect.provide(Layer.merge(Rai.TfjsEngine.layer, NodeServices.layer)), runMain)
