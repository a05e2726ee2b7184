/** A training loop of your own: the relaxed objective, its gradients, an optimiser's step, a refresh, the free run. */
import { runMain } from "@effect/platform-node/NodeRuntime"
import * as Rai from "@rai/core"
import { Console, Effect, Record } from "effect"

const circuit = Rai.Circuit.perceptron([2, 20, 20, 20, 1], { activation: "tanh" })
const [L_y, { initial, rate, update }] = [Rai.Loss.binaryCrossEntropy, Rai.Rprop.make(0.001)]
const shapes = (arrays: Rai.Engine.Arrays) => Record.map(arrays, ({ shape }) => shape)
const over = (arrays: Rai.Engine.Arrays, formula: (of: Rai.Evaluation.Theta) => Rai.Program.Program["outputs"]) =>
  Rai.Program.make(shapes(arrays), (given) => formula((name) => given[name]!))

const program = Effect.gen(function* () {
  const { inputs: x, targets: y } = yield* Rai.Moons.paper
  const wrapped = yield* Rai.Wrapped.make(circuit, { include: "linear", energy: "sum", period: 100 })
  const Θ = Rai.Initializer.orthogonal(circuit, 0)
  const refresh = yield* over({ ...Θ, x }, (of) => wrapped.auxiliaries(of, of("x")))
  const ΘZ: Rai.Engine.Arrays = { ...Θ, ...(yield* Rai.Engine.run(refresh, { ...Θ, x })) }
  const slots = (slot: string) => Record.mapEntries(ΘZ, ({ shape }, name) => [slot + name, initial(shape, rate)[slot]!])
  const state: Rai.Engine.Arrays = { x, y, ...ΘZ, ...slots("step"), ...slots("sign") }
  const step = yield* over(state, (of) => {
    const names = Object.keys(ΘZ)
    const { loss } = wrapped.objective(L_y, of, of, of("x"), of("y"))
    const [η, slopes] = [Rai.Tensor.constant(rate), Rai.Gradient.gradients(loss, names.map(of))]
    const updates = names.map((name, i) => {
      const next = update(of(name), slopes[i]!, { step: of(`step${name}`), sign: of(`sign${name}`) }, η)
      return { [name]: next.parameter, ...Record.mapKeys(next.slots, (slot) => slot + name) }
    })
    return Object.assign({ loss }, ...updates)
  })
  const freeRun = yield* over(state, (of) => ({ loss: L_y(wrapped.paused(of, of("x")), of("y")) }))
  const session = yield* Rai.Engine.Engine.use((engine) => engine.session(state))
  for (let i = 1; i <= 200; i++) {
    const [relaxed, free] = [yield* session.advance(step), yield* session.advance(freeRun)].map((r) => r.loss!.data[0]!)
    if (i % 50 === 0) yield* Console.log(`step ${i}: free run ${free}, gap ${free! - relaxed!}`)
    if (wrapped.isDue(i)) yield* session.advance(refresh)
  }
})

program.pipe(Effect.scoped, Effect.provide(Rai.TfjsEngine.layer), runMain)
