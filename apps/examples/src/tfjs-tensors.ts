/**
 * TensorFlow.js tensors go in and come out; the engine frees everything it allocates in between.
 */
import { runMain } from "@effect/platform-node/NodeRuntime"
import { Circuit, Engine, FreeRun, Initializer, TfjsEngine } from "@rai/core"
import * as TfjsTensor from "@rai/core/tfjs"
import * as tf from "@tensorflow/tfjs-core"
import { Console, Effect } from "effect"

const program = Effect.gen(function* () {
  const circuit = Circuit.perceptron([2, 8, 8, 1], { activation: "relu" })
  const freeRun = yield* FreeRun.program(circuit)
  yield* Engine.Engine // sets TensorFlow.js's backend
  const before = tf.memory().numTensors

  const x = tf.randomUniform([5, 2], -1, 1)
  const given = { ...Initializer.he(circuit, 0), x: TfjsTensor.toArray(x) }
  const { output } = yield* Engine.run(freeRun, given)
  const logit = yield* TfjsTensor.fromArray(output!)
  const probability = tf.sigmoid(logit)
  yield* Console.log(`x [${x.shape}] in, probability [${probability.shape}] out`)

  tf.dispose([x, logit, probability]) // your own tensors are yours to free
  yield* Console.log(`tensors left: ${tf.memory().numTensors - before}`)
})

program.pipe(Effect.provide(TfjsEngine.layer), runMain)
