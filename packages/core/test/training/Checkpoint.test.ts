import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Checkpoint, Circuit, Cut, Moons, NdArray, type PhaseRun, Plan, PlanSpec, Progress, Rprop } from "@rai/core"
import { Effect, FileSystem } from "effect"
import * as BlockKinds from "../../src/circuit/BlockKinds.ts"

const circuit = Circuit.perceptron([2, 4, 1])
const identify = Effect.fnUntraced(function* (steps: number, noise: number) {
  const data = yield* Moons.make({ examples: 10, noise })
  return yield* Checkpoint.identity({ circuit, plan: Plan.relax({ steps }), seed: 3, engine: "reference", data })
})
const snapshot = (step: number): PhaseRun.Snapshot => ({
  progress: { ...Progress.start(), step },
  state: { "0.weight": NdArray.make([2, 2], [step, -0, Number.NaN, 1e-45]) }
})

describe("checkpoints", () => {
  it.live("there and back to the bit; only the newest stays, and nothing that a killed run had begun", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const identity = yield* identify(9, 0.1)
      yield* Checkpoint.save(folder, identity, snapshot(1))
      yield* fs.writeFileString(`${folder}/checkpoint-0123456789ab.safetensors.part`, "half of")
      yield* fs.writeFileString(`${folder}/checkpoint-notes.txt`, "mine")
      yield* Checkpoint.save(folder, identity, snapshot(2))
      assert.deepStrictEqual(yield* Checkpoint.resume(folder, identity), snapshot(2))
      const entries = (yield* fs.readDirectory(folder)).map((entry) => entry.replace(/[\da-f]{12}/, "…")).sort()
      assert.deepStrictEqual(entries, ["checkpoint-notes.txt", "checkpoint-….safetensors", "checkpoint.json"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("one that is cut short, changed, gone or of another run gets one line", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const identity = yield* identify(9, 0.1)
      const message = (expected = identity) =>
        Effect.map(Effect.flip(Checkpoint.resume(folder, expected)), (error) => error.message.replace(folder, ""))
      assert.match(yield* message(), /^\/checkpoint\.json: expected a checkpoint .*, but there is no such file; /)
      yield* Checkpoint.save(folder, identity, snapshot(1))
      assert.match(yield* message(yield* identify(9, 0.2)), /expected a checkpoint of the data «.*», but it is of «/)
      assert.match(
        yield* message(yield* identify(8, 0.1)),
        /expected a checkpoint of the plan «relax:8:.*», but it is of «relax:9:.*»; resume with/
      )
      const { seed: _, ...less } = identity
      assert.match(
        yield* message(less as typeof identity),
        /expected a checkpoint of the seed «undefined», but it is of «3»/
      )
      const arrays = (yield* fs.readDirectory(folder)).find((entry) => entry.endsWith(".safetensors"))!
      const bytes = yield* fs.readFile(`${folder}/${arrays}`)
      yield* fs.writeFile(`${folder}/${arrays}`, bytes.subarray(0, bytes.length - 1))
      assert.match(yield* message(), /as it was written, but it is cut short or changed; /)
      yield* fs.remove(`${folder}/${arrays}`)
      assert.match(yield* message(), /, but checkpoint-[\da-f]{12}\.safetensors is missing; /)
      const json = yield* fs.readFileString(`${folder}/checkpoint.json`)
      yield* fs.writeFileString(`${folder}/checkpoint.json`, json.replace('"version": 3', '"version": 4'))
      assert.match(yield* message(), /, but rai-checkpoint of version 4 came; /)
      yield* fs.writeFileString(`${folder}/checkpoint.json`, json.slice(0, 100))
      assert.match(yield* message(), /, but it is not whole JSON of that kind; /)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("runs are told apart by settings that no line says", () =>
    Effect.gen(function* () {
      const data = yield* Moons.make({ examples: 10 })
      const conv = (stride: number) =>
        Circuit.sequence(
          Circuit.unflatten({ channels: 1, length: 2 }),
          Circuit.conv1d({ channels: 1, filters: 2, kernel: 1, stride }),
          Circuit.globalMaxPool,
          Circuit.linear(2, 1)
        )
      const of = (circuit: Circuit.Circuit, divisor: number) => {
        const plan = Plan.relax({ steps: 3, careful: { patience: 3, divisor, attempts: 5 } })
        return Checkpoint.identity({ circuit, plan, seed: 3, engine: "reference", data })
      }
      const identity = yield* of(conv(1), 3)
      assert.deepStrictEqual(yield* of(conv(1), 3), identity)
      assert.notDeepEqual(yield* of(conv(2), 3), identity)
      assert.notDeepEqual(yield* of(conv(1), 9), identity)
    })
  )

  const rule = Rprop.make(0.1)
  /** One plan or circuit per function of one's own: each is given another function of the same name. */
  const ownFunctions: Readonly<Record<string, (first: boolean) => { circuit?: Circuit.Circuit; plan?: Plan.Plan }>> = {
    "block 1 apply": (first) => ({
      circuit: Circuit.sequence(
        Circuit.linear(2, 4),
        Circuit.stage("own", first ? (z) => z.tanh() : (z) => z.sigmoid()),
        Circuit.linear(4, 1)
      )
    }),
    "block 1 training apply": (first) => ({
      circuit: Circuit.sequence(
        Circuit.linear(2, 4),
        { ...Circuit.dropout(0.5), training: { apply: first ? (z) => z.mul(2) : (z) => z } },
        Circuit.linear(4, 1)
      )
    }),
    "phase 1 loss": (first) => ({
      plan: Plan.backpropagate({ steps: 3, loss: first ? (o, y) => o.sub(y).abs().mean() : (o, y) => o.sub(y).mean() })
    }),
    "phase 1 only": (first) => ({
      plan: Plan.backpropagate({ steps: 3, only: first ? (name) => name === "0.weight" : (name) => name === "0.bias" })
    }),
    "phase 1 optimizer update": (first) => ({
      plan: Plan.backpropagate({
        steps: 3,
        optimizer: {
          ...rule,
          update: first ? (...of) => rule.update(...of) : (p, g, slots, η) => rule.update(p, g.neg(), slots, η)
        }
      })
    }),
    "phase 1 curve at": (first) => ({
      plan: Plan.backpropagate({ steps: 3, curve: { name: "cosine", at: first ? (t) => 1 - t : (t) => 1 - t * t } })
    }),
    "phase 1 hidden of": (first) => ({
      plan: Plan.relax({
        steps: 3,
        hidden: { name: "squared", of: first ? (z, ẑ) => z.sub(ẑ).abs() : (z, ẑ) => z.sub(ẑ).square() }
      })
    }),
    "phase 1 cut after": (first) => ({
      plan: Plan.relax({
        steps: 3,
        cut: { ...Cut.paper, after: first ? ({ path }) => path === "0" : ({ kind }) => kind === "linear" }
      })
    })
  }
  const of = Effect.fnUntraced(function* (run: { circuit?: Circuit.Circuit; plan?: Plan.Plan }) {
    const data = yield* Moons.make({ examples: 10 })
    return yield* Checkpoint.identity({
      circuit,
      plan: Plan.relax({ steps: 3 }),
      ...run,
      seed: 3,
      engine: "reference",
      data
    })
  })

  for (const [where, given] of Object.entries(ownFunctions)) {
    it.live(`another function at ${where} is another run, which the line names`, () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        const [one, same, other] = [yield* of(given(true)), yield* of(given(true)), yield* of(given(false))]
        assert.deepStrictEqual(same, one)
        assert.deepStrictEqual({ ...other, functions: one.functions }, one)
        yield* Checkpoint.save(folder, one, snapshot(1))
        const error = yield* Effect.flip(Checkpoint.resume(folder, other))
        assert.strictEqual(
          error.message.replace(folder, "").replaceAll(/ [\da-f]{12}/g, " …"),
          `/checkpoint.json: expected a checkpoint of the functions «${where} …», but it is of «${where} …»; resume with the functions that the run began with, their text unchanged, or train into another folder`
        )
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
    )
  }

  it.live("what this library has are no functions of one's own; a checkpoint from before they counted goes on", () =>
    Effect.gen(function* () {
      const all = Circuit.sequence(
        ...(Object.entries(BlockKinds.table).map(([, { example, make }]) => make(example)) as never as [])
      )
      for (const text of [
        "relax:3:sgd=0.1+nesterov=1:z-muon=0.1:hidden=cosine:ramp=linear:curve=warmup0.1*cosine",
        "alternate:3:batch=5,backpropagate:3:rmsprop=0.1+momentum=0.5:curve=exponential0.1,backpropagate:3:adamw=0.1"
      ]) {
        assert.strictEqual((yield* of({ circuit: all, plan: yield* PlanSpec.parse(text) })).functions, "none")
      }
      assert.strictEqual((yield* of({ plan: Plan.auto(circuit) })).functions, "none")
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const { functions, ...before } = yield* of({})
      yield* Checkpoint.save(folder, before, snapshot(1))
      assert.deepStrictEqual(yield* Checkpoint.resume(folder, { ...before, functions }), snapshot(1))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
