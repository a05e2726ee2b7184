/**
 * A run that is interrupted and resumed ends bit for bit like one that never was.
 */
import { runMain } from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Checkpoint, Circuit, Engine, Moons, PlanSpec, Safetensors, TfjsEngine, Training } from "@rai/core"
import { Console, Effect, FileSystem, Layer, Stream } from "effect"

const circuit = Circuit.perceptron([2, 20, 20, 20, 1], { activation: "tanh" })

const program = Effect.gen(function* () {
  const data = yield* Moons.paper
  const plan = yield* PlanSpec.parse("relax:50:adam=0.01:batch=25:noise=0.01,backpropagate:60")
  const run = { plan, seed: 7 }
  const whole = yield* Training.fit(circuit, data, run)

  // The identity of the run that a checkpoint belongs to; resuming any other run from it fails.
  const { name: engine } = yield* Engine.Engine
  const identity = yield* Checkpoint.identity({ circuit, data, engine, ...run })
  yield* FileSystem.FileSystem.use((fs) => fs.makeDirectory("run", { recursive: true }))

  // Ending the stream interrupts the run, as Ctrl+C would; it leaves a snapshot of the steps taken until it stopped.
  yield* Training.stream(circuit, data, {
    ...run,
    onSnapshot: (snapshot) => Checkpoint.save("run", identity, snapshot)
  }).pipe(
    Stream.takeUntil(({ progress }) => progress.total === 101),
    Stream.runDrain
  )
  const from = yield* Checkpoint.resume("run", identity)
  yield* Console.log(`interrupted in phase ${from.progress.phase}, at step ${from.progress.step} of it`)

  const resumed = yield* Training.fit(circuit, data, { ...run, from })
  const [a, b] = [whole, resumed].map(({ parameters }) => Buffer.from(Safetensors.encode(parameters)))
  yield* Console.log(`${a!.equals(b!) ? "the same" : "other"} parameters as without the interruption`)
})

program.pipe(Effect.provide(Layer.merge(TfjsEngine.layer, NodeServices.layer)), runMain)
