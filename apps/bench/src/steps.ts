/**
 * Steps per second of one engine: `node steps.ts ENGINE WIDTHS ACTIVATION EXAMPLES PLAN`; prints one JSON line. The first steps, in which programs
 * are prepared, are not counted, just as the peers leave out their compilation.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Circuit, CircuitSpec, Moons, PlanSpec, TfjsEngine, Training } from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import { Clock, Console, Effect, Stream } from "effect"

const engines = { onnx: OnnxEngine.layer, "tfjs-native": TfjsEngine.layerNative }

const [engine, widths, activation, examples, written] = process.argv.slice(2) as [
  keyof typeof engines,
  string,
  "sigmoid" | "tanh",
  string,
  string
]

const warm = 10

const measured = Effect.gen(function* () {
  const circuit = Circuit.perceptron(yield* CircuitSpec.widths(widths), { activation })
  const data = yield* Moons.make({ examples: Number(examples), noise: 0.1, seed: 42 })
  const times: Array<number> = []
  let freeRunLoss = Number.NaN
  yield* Stream.runForEach(
    Training.stream(circuit, data, { plan: yield* PlanSpec.parse(written), seed: 0 }),
    Effect.fnUntraced(function* (event) {
      if (event._tag !== "Step") return
      times.push(Number(yield* Clock.currentTimeNanos) / 1e9)
      freeRunLoss = event.measurement?.freeRunLoss ?? freeRunLoss
    })
  )
  const stepsPerSecond = (times.length - 1 - warm) / (times.at(-1)! - times[warm]!)
  yield* Console.log(JSON.stringify({ engine, stepsPerSecond, freeRunLoss }))
})

NodeRuntime.runMain(measured.pipe(Effect.provide(engines[engine])))
