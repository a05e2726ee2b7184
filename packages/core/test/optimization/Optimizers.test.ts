import { describe, expect, it } from "@effect/vitest"
import { Adam, Engine, NdArray, type Optimizer, Program, ReferenceEngine, Rprop, Sgd } from "@rai/core"
import { Effect } from "effect"
import trajectories from "../fixtures/optimizer-trajectories.json" with { type: "json" }

/** The parameter after each step from 1 at rate 0.1, one of the fixture's gradients a step, kept in a session as training keeps it. */
const trajectory = Effect.fnUntraced(function* ({ initial, update }: Optimizer.Optimizer) {
  const slots = initial([1])
  const signature = Object.fromEntries(Object.entries(slots).map(([name, { shape }]) => [name, shape]))
  const program = yield* Program.make({ ...signature, p: [1], g: [1] }, ({ g, p, ...given }) => {
    const { parameter, slots: kept } = update(p!, g!, given)
    return { p: parameter, after: parameter, ...kept }
  })
  const engine = yield* Engine.Engine
  const session = yield* engine.session({ ...slots, p: NdArray.full([1], 1) })
  return yield* Effect.forEach(trajectories.gradients, (g) =>
    Effect.map(
      session.advance(program, { g: { shape: [1], data: Float64Array.of(g) } }),
      ({ after }) => after!.data[0]!
    )
  )
})

const follows = (optimizer: Optimizer.Optimizer, expected: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const came = yield* trajectory(optimizer)
    expect(came.length).toBe(expected.length)
    came.forEach((p, i) => {
      expect(Math.abs(p - expected[i]!), `step ${i + 1}: ${p} beside ${expected[i]}`).toBeLessThanOrEqual(1e-12)
    })
  }).pipe(Effect.scoped, Effect.provide(ReferenceEngine.layer))

describe("optimisers follow PyTorch's trajectories within 1e-12", () => {
  it.effect("Rprop", () => follows(Rprop.make(0.1), trajectories.parameters.rprop))
  it.effect("Adam", () => follows(Adam.make(0.1), trajectories.parameters.adam))
  it.effect("SGD with momentum", () => follows(Sgd.make(0.1), trajectories.parameters.sgd_momentum))
})
