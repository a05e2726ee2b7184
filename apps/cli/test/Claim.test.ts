/**
 * The claim of `npm start`: from PyTorch's start, deep sigmoid circuits learn when relaxed, where backpropagation stays at chance.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Circuit, Moons, Plan, Score, Training } from "@rai/core"
import * as NativeLibrary from "@rai/core/native"
import { Effect, Option } from "effect"
import { assert, describe, it } from "vitest"
import * as Demo from "../src/Demo.ts"
import * as EngineChoice from "../src/EngineChoice.ts"

const native = await Effect.runPromise(Effect.provide(NativeLibrary.status, NodeServices.layer))
const hasNative = Option.isSome(native) && native.value._tag === "Installed"

const sigmoid = (maps: number, units: number) =>
  Circuit.perceptron([2, ...Array<number>(maps - 1).fill(units), 1], { activation: "sigmoid" })

/** Trains a circuit and returns its accuracy on unseen points. */
const learned = (
  circuit: Circuit.Circuit,
  plan: Plan.Plan,
  engine: EngineChoice.Name,
  seed = Demo.seed
): Promise<number> =>
  Effect.gen(function* () {
    const trained = yield* Training.fit(circuit, yield* Moons.paper, { plan, seed })
    const fresh = yield* Moons.make({ examples: 1000, noise: 0.1, seed: 2024 })
    return (yield* Score.score(trained, fresh)).accuracy!
  }).pipe(Effect.provide(EngineChoice.on(engine)), Effect.runPromise)

describe.each(["onnx", "tfjs-native"] as const)("on %s", (engine) => {
  const isThere = engine === "onnx" || hasNative

  it.skipIf(!isThere)("51 maps: the automatic plan learns from PyTorch's start, backpropagation does not", async () => {
    const circuit = sigmoid(51, 50)
    assert.isAtLeast(await learned(circuit, Plan.auto(circuit, { start: "pytorch" }), engine), 0.97)
    assert.approximately(await learned(circuit, Plan.backpropagate({ steps: 60 }), engine), 0.5, 0.01)
  })
})

describe.skipIf(!hasNative)("the demo's circuit, 101 maps of 100 units", () => {
  // Half a minute a seed where two other things run.
  it("learns by the paper's plan on libtensorflow", { timeout: 300_000 }, async () => {
    // It learns on seven seeds of ten, and which these are is a matter of rounding, so of the processor: of three one is to.
    const accuracies: Array<number> = []
    while (accuracies.length < 3 && !accuracies.some((accuracy) => accuracy >= 0.97)) {
      accuracies.push(await learned(sigmoid(101, 100), Demo.paper, "tfjs-native", Demo.seed + accuracies.length))
    }
    assert.isAtLeast(Math.max(...accuracies), 0.97, `accuracies ${accuracies.join(", ")}`)
  })
})
