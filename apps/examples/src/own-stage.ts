/**
 * A stage of your own: a plain function on tensors is checked, differentiated, relaxed and drawn without further code.
 */
import { runMain } from "@effect/platform-node/NodeRuntime"
import { Circuit, Cut, FreeRun, Moons, Plan, Print, Rprop, TfjsEngine, Training, TrainingEvent } from "@rai/core"
import { Console, Effect, Stream } from "effect"

/** isru(z) = z / √(1 + z²) (Carlile et al. 2017). */
const isru = Circuit.stage("isru", (z) => z.div(z.square().add(1).sqrt()))

const hidden = Circuit.sequence(isru, Circuit.linear(16, 16))
const circuit = Circuit.sequence(Circuit.linear(2, 16), Circuit.repeat(hidden, 3), isru, Circuit.linear(16, 1))

/** Relaxes after every isru except the first, at site 1.0.0. */
const cut: Cut.Cut = { after: ({ kind, path }) => kind === "isru" && path !== "1.0.0", every: 1, output: false }

const program = Effect.gen(function* () {
  const freeRun = yield* FreeRun.program(circuit)
  yield* Console.log(
    Print.print(freeRun)
      .match(/^.* = (square|sqrt) .*$/gm)!
      .slice(0, 2)
      .join("\n")
  )
  yield* Console.log(`cut at ${[...Cut.sites(circuit, cut)].join(", ")}`)

  const plan = Plan.relax({ steps: 150, optimizer: Rprop.make(0.003), cut, interval: 50 })
  yield* Training.stream(circuit, yield* Moons.paper, { plan, seed: 0 }).pipe(
    Stream.filter(TrainingEvent.isMeasured),
    Stream.runForEach(({ measurement: { freeRunAccuracy, relaxationGap }, progress }) =>
      Console.log(`step ${progress.step}: gap ${relaxationGap?.toFixed(3)}, accuracy ${freeRunAccuracy}`)
    )
  )
})

program.pipe(Effect.provide(TfjsEngine.layer), runMain)
