/**
 * Steps a second of the deep circuit (2,100x100,1, sigmoid, 100 examples, every map relaxed, Rprop), beside PyTorch and JAX.
 * Interleaved, so that a machine whose speed drifts treats all alike; medians of the rounds, as ratios.
 */
import { loadavg } from "node:os"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import * as Contestant from "./Contestant.ts"

const ours = (steps: number): Contestant.Contestant => ({
  name: "rai (tfjs-native)",
  command: process.execPath,
  args: [
    new URL("../../setup/src/rai.mjs", import.meta.url).pathname,
    ..."train --data moons-100 --circuit 2,100x100,1 --activation sigmoid --start pytorch --json --plan".split(" "),
    `relax:${steps}:rprop=0.1:output`
  ]
})

const theirs = (python: string, peers: string, steps: number): ReadonlyArray<Contestant.Contestant> =>
  (["torch", "jax"] as const).map((name) => ({
    name,
    command: python,
    args: [`${peers}/rai_${name}.py`, ...(name === "torch" ? ["--circuit", "deep"] : []), "--steps", String(steps)]
  }))

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

const bench = Command.make(
  "bench",
  {
    peers: Flag.Directory("peers").pipe(Flag.withDescription("the folder of the peers' scripts")),
    python: Flag.File("python").pipe(Flag.withDescription("a Python with torch and jax")),
    rounds: Flag.Int("rounds").pipe(Flag.withDefault(3)),
    steps: Flag.Int("steps").pipe(Flag.withDefault(100))
  },
  Effect.fn("bench")(function* ({ peers, python, rounds, steps }) {
    const contestants = [ours(steps), ...theirs(python, peers, steps)]
    const measured = contestants.map(() => [] as Array<number>)
    for (let round = 1; round <= rounds; round++) {
      for (const [i, contestant] of contestants.entries()) {
        const speed = yield* Contestant.measure(contestant)
        measured[i]!.push(speed)
        yield* Console.error(
          `round ${round}: ${contestant.name} ${speed.toFixed(1)} steps/s (load ${loadavg()[0]!.toFixed(1)})`
        )
      }
    }
    const [mine, ...others] = measured.map(median)
    yield* Console.log(`${contestants[0]!.name}: ${mine!.toFixed(1)} steps/s`)
    for (const [i, other] of others.entries()) {
      const { name } = contestants[i + 1]!
      yield* Console.log(`${name}: ${other.toFixed(1)} steps/s; rai is ${(mine! / other).toFixed(2)} times as fast`)
    }
  })
)

Command.run(bench, { version: "0.1.0" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
