/**
 * An optimiser of your own is data and two pure functions, and works like any other: for relaxing, in measurements, on resuming, on every engine.
 */
import { runMain } from "@effect/platform-node/NodeRuntime"
import { Circuit, Moons, NdArray, type Optimizer, Phase, Plan, Print, Program, TfjsEngine, Training } from "@rai/core"
import { Console, Effect, Record } from "effect"

/** Lion (Chen et al. 2023): u = sign(β₁ m + (1 − β₁) g);  p ← p − η (u + λ p);  m ← β₂ m + (1 − β₂) g. */
const lion = (rate: number, [β1, β2, λ] = [0.9, 0.99, 0]): Optimizer.Optimizer => ({
  name: "lion",
  rate,
  settings: {}, // printed after the rate
  initial: (shape) => ({ m: NdArray.full(shape, 0) }),
  update: (p, g, { m }, η) => {
    const u = m!
      .mul(β1)
      .add(g.mul(1 - β1))
      .sign()
    return { parameter: p.sub(u.add(p.mul(λ)).mul(η)), slots: { m: m!.mul(β2).add(g.mul(1 - β2)) } }
  }
})

const program = Effect.gen(function* () {
  // The rule as the engine receives it, for a scalar parameter.
  const shapes = Record.map({ p: 0, g: 0, m: 0, η: 0 }, () => [])
  const step = yield* Program.make(shapes, ({ p, g, m, η }) => {
    const { parameter, slots } = lion(1).update(p!, g!, { m: m! }, η!)
    return { p: parameter, m: slots.m! }
  })
  yield* Console.log(Print.print(step))

  const circuit = Circuit.perceptron([2, 16, 16, 16, 1], { activation: "tanh" })
  const plan = Plan.make(
    Phase.relax({ steps: 200, optimizer: lion(0.003), auxiliaryOptimizer: lion(0.01) }),
    Phase.backpropagate({ steps: 200, optimizer: lion(0.001) })
  ).pipe(Plan.startingAt("orthogonal"))
  const { measurement, progress } = yield* Training.run(circuit, yield* Moons.paper, { plan, seed: 0 })
  yield* Console.log(
    `${Plan.print(plan)}\nrelaxation gap ${progress.relaxationGap}, accuracy ${measurement.freeRunAccuracy}`
  )
})

program.pipe(Effect.provide(TfjsEngine.layer), runMain)
