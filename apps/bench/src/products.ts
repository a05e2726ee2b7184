/**
 * An upper bound on the speed of a deep relaxed step: its three batched products alone, on the same engine; `node products.ts STEPS`.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Engine, NdArray, Program, type Tensor } from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import { Clock, Console, Effect } from "effect"

const steps = Number(process.argv[2])

/** 99 stages of 100 units, 100 examples. */
const shape = [99, 100, 100]

type Given = Readonly<Record<string, Tensor.Tensor>>

const measured = Effect.gen(function* () {
  const zeros = NdArray.full(shape, 0)
  const names = ["a", "W", "g", "p", "slope of a", "slope of W"]
  const program = yield* Program.make({ a: shape, W: shape, g: shape }, ({ a, g, W }: Given) => ({
    p: a!.matMul(W!),
    "slope of a": g!.matMul(W!, { transposeB: true }),
    "slope of W": a!.matMul(g!, { transposeA: true })
  }))
  const engine = yield* Engine.Engine
  const session = yield* engine.session(Object.fromEntries(names.map((name) => [name, zeros])))
  yield* session.advance(program)
  const start = yield* Clock.currentTimeNanos
  for (let step = 0; step < steps; step++) yield* session.advance(program)
  const seconds = Number((yield* Clock.currentTimeNanos) - start) / 1e9
  yield* Console.log(JSON.stringify({ stepsPerSecond: steps / seconds }))
})

NodeRuntime.runMain(Effect.scoped(measured).pipe(Effect.provide(OnnxEngine.layer)))
