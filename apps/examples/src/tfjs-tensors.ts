/**
 * Who has tensors of TensorFlow.js passes them in and gets them out; what the engine needs in between, it frees.
 */
import { runMain } from "@effect/platform-node/NodeRuntime"
import { Circuit, Engine, FreeRun, Initializer, TfjsEngine } from "@rai/core"
import * as TfjsTensor from "@rai/core/tfjs"
import * as tf from "@tensorflow/tfjs-core"
import { Console, Effect } from "effect"

const program = Effect.gen(function* () {
  const circuit = Circuit.perceptron([2, 8, 8, 1], { activation: "relu" })
  const freeRun = yield* FreeRun.program(circuit)
  yield* Engine.Engine // from here on, TensorFlow.js has its backend
  const before = tf.memory().numTensors

  const x = tf.randomUniform([5, 2], -1, 1)
  const given = { ...Initializer.he(circuit, 0), x: TfjsTensor.toArray(x) }
  const { output } = yield* Engine.run(freeRun, given)
  const logit = yield* TfjsTensor.fromArray(output!)
  const probability = tf.sigmoid(logit)
  yield* Console.log(`x [${x.shape}] in, probability [${probability.shape}] out`)

  tf.dispose([x, logit, probability]) // yours are yours to free
  yield* Console.log(`tensors left: ${tf.memory().numTensors - before}`)
})

program.pipe(Effect.provide(TfjsEngine.layer), runMain)
