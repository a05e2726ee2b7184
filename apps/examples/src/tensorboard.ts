/** Runs side by side in TensorBoard: live numbers, and the circuit's diagram. View them with `tensorboard --logdir runs`. */
import { runMain } from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Circuit, Moons, Phase, Plan, TfjsEngine, Training } from "@rai/core"
import { Diagram, Picture } from "@rai/plots"
import { EventFile, TensorBoard } from "@rai/tensorboard"
import { Console, Effect, Layer, Stream } from "effect"

const circuit = Circuit.perceptron([2, 20, 20, 20, 1], { activation: "tanh" })
const phase = Phase.relax({ steps: 100, interval: 5 })
const plans = {
  relaxed: Plan.make(phase, Phase.backpropagate({ steps: 100, interval: 5 })),
  backpropagated: Plan.backpropagate({ steps: 200, interval: 5 })
}

const program = Effect.forEach(Object.entries(plans), ([name, plan]) =>
  Effect.gen(function* () {
    const { file, image } = yield* EventFile.EventFile
    const cuts = name === "relaxed" ? Phase.sites(phase, circuit) : new Set<string>()
    yield* image(0, "circuit", yield* Picture.png(yield* Diagram.svg(circuit, { cuts })))
    const events = Training.stream(circuit, yield* Moons.paper, { plan: Plan.startingAt(plan, "orthogonal"), seed: 0 })
    const last = yield* Stream.runLast(TensorBoard.record(events))
    const loss = last._tag === "Some" && last.value._tag === "Finished" ? last.value.measurement.freeRunLoss : NaN
    yield* Console.log(`${name}: loss ${loss.toFixed(4)}, in ${file}`)
  }).pipe(Effect.provide(EventFile.EventFile.layer({ folder: `runs/${name}` })))
)

program.pipe(Effect.provide(Layer.merge(TfjsEngine.layer, NodeServices.layer)), runMain)
