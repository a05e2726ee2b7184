/**
 * What `npm start` shows: the paper's claim on the paper's circuit, from data to an answered request.
 */
import { Circuit, Engine, Moons, Plan, type Trained } from "@rai/core"
import { Onnx, Verify } from "@rai/export"
import { Landscape, Picture } from "@rai/plots"
import { InferenceServer } from "@rai/serving"
import { Effect, FileSystem, Layer, Path } from "effect"
import { Command, Flag } from "effect/cli"
import * as Described from "./Described.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as Figures from "./Figures.ts"
import * as Folder from "./Folder.ts"
import * as Hold from "./Hold.ts"
import * as PathText from "./PathText.ts"
import * as Report from "./Report.ts"
import * as Run from "./Run.ts"

/** The seed of every run in the demo. */
export const seed = 0

/** The plan from PyTorch's start: every map relaxed as in eq. 4, then the free run fitted. */
export const paper = Plan.relax({ steps: 250 }).pipe(
  Plan.andThen(Plan.backpropagate({ steps: 400 })),
  Plan.stoppingAt({ loss: 0.05 })
)

interface Contestant {
  readonly title: string
  readonly start: string
  readonly plan: Plan.Plan
  readonly folder: string
}

const contestants = (circuit: Circuit.Circuit): ReadonlyArray<Contestant> => [
  {
    title: "backpropagation",
    start: "PyTorch's start",
    plan: Plan.backpropagate({ steps: 60 }),
    folder: first
  },
  { title: "RAI", start: "PyTorch's start", plan: paper, folder: "rai-pytorch-start" },
  {
    title: "backpropagation",
    start: "well-scaled start",
    plan: Plan.autoBackpropagation(circuit),
    folder: "backpropagation-well-scaled"
  },
  { title: "RAI", start: "well-scaled start", plan: Plan.auto(circuit), folder: "rai-well-scaled" }
]

/** The command. */
export const command = Command.make(
  "demo",
  {
    once: Flag.Boolean("once").pipe(Flag.withDescription("end after one answered request"), Flag.withDefault(false)),
    out: PathText.flag("out").pipe(
      Described.withDefault(
        "the folder: a new or empty one, or an earlier demo's, which is emptied first",
        "runs/start"
      )
    )
  },
  Effect.fn("demo")(function* ({ once, out }) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = path.resolve(out)
    const model = path.join(folder, "models", "moons.onnx")
    const made = Effect.gen(function* () {
      yield* Hold.folder(folder)
      if (yield* isDemos(folder)) yield* fs.remove(folder, { recursive: true })
      yield* Folder.vacant(folder)
      yield* Effect.provide(trainAndExport(folder, model), EngineChoice.usual)
    })
    yield* Effect.scoped(made)
    const { maxAbsDifference, examples } = yield* Verify.verify(model)
    yield* Report.line(
      `verified in onnxruntime: largest difference ${Report.number(maxAbsDifference)} on ${examples} points`
    )
    yield* Report.line(`\nEverything lies in ${folder}:`)
    yield* Report.line("  landscapes.png  what the four circuits learned, side by side")
    yield* Report.line("  rai-*/          circuit, metrics, loss.png, residuals.png of each run")
    yield* Report.line("  models/         moons.onnx and moons.parity.json")
    yield* serve(path.join(folder, "models"), once)
  })
)

const first = "backpropagation-pytorch-start"

/** What a demo writes into its folder. */
const written = /^(?:(?:rai|backpropagation)-(?:pytorch-start|well-scaled)|models|landscapes\.(?:png|svg)(?:\.part)?)$/

/** Whether a folder holds the first of a demo's runs, and nothing that a demo does not write. */
const isDemos = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const entries = yield* Effect.orElseSucceed(fs.readDirectory(folder), (): ReadonlyArray<string> => [])
  return entries.includes(first) && entries.every((entry) => written.test(entry))
})

const trainAndExport = Effect.fnUntraced(function* (folder: string, model: string) {
  const path = yield* Path.Path
  const circuit = Circuit.perceptron([2, ...Array<number>(100).fill(100), 1], { activation: "sigmoid" })
  const train = yield* Moons.paper
  const test = yield* Moons.make({ examples: 1000, noise: 0.1, seed: 2024 })
  const engine = yield* Engine.Engine
  yield* Report.line("Relaxed Activation Identity on a circuit that backpropagation cannot train from its usual start:")
  yield* Report.line(
    `${Circuit.depth(circuit)} sigmoid maps of 100 units, no skip connections, the paper's 100 moons, ${engine.name}\n`
  )
  yield* Report.line("method           start              steps     time  training loss  on 1,000 fresh points")
  const outcomes: Array<{
    readonly contestant: Contestant
    readonly trained: Trained.Trained
    readonly accuracy: number
  }> = []
  for (const contestant of contestants(circuit)) {
    const run = { circuit, plan: contestant.plan, seed, train, test, name: `${contestant.title}, ${contestant.start}` }
    const { summary, trained } = yield* keep(path.join(folder, contestant.folder), run)
    outcomes.push({ contestant, trained, accuracy: summary.testAccuracy! })
    yield* Report.line(
      [
        contestant.title.padEnd(16),
        contestant.start.padEnd(18),
        String(summary.steps).padStart(5),
        Report.seconds(summary.seconds).padStart(8),
        Report.number(summary.freeRunLoss).padStart(14),
        Report.percent(summary.testAccuracy).padStart(23)
      ].join(" ")
    )
  }
  const panels = yield* Effect.forEach(outcomes, ({ accuracy, contestant, trained }) =>
    Figures.panel(trained, train, plane, {
      title: contestant.title,
      subtitle: `${contestant.start}: ${Report.percent(accuracy)}`
    })
  )
  yield* Picture.write(path.join(folder, "landscapes.png"), yield* Landscape.panel({ ...plane, panels }))
  yield* Picture.write(path.join(folder, "landscapes.svg"), yield* Landscape.panel({ ...plane, panels }))
  const best = outcomes.at(-1)!.trained
  yield* Folder.make(path.dirname(model))
  const { sha256 } = yield* Onnx.write(best, model, { samples: test.inputs })
  yield* Report.line(`\nexported RAI's circuit to ${model} (sha256 ${sha256.slice(0, 12)}…)`)
})

const plane = { grid: 200 }

const keep = Effect.fnUntraced(function* (folder: string, run: Run.Run) {
  yield* Folder.make(folder)
  return yield* Run.carryOut({ ...run, folder })
})

const request = { inputs: [{ name: "x", shape: [1, 2], datatype: "FP32", data: [1, 0.5] }] }

const serve = (repository: string, once: boolean) =>
  Effect.scoped(
    Effect.gen(function* () {
      const on = (port: number) => Layer.build(InferenceServer.layer({ repository, port }))
      const context = yield* Effect.catchTag(on(8080), "AddressUnavailable", () => on(0))
      const { url } = yield* Effect.provide(InferenceServer.InferenceServer, context)
      const infer = `${url}/v2/models/moons/infer`
      const body = JSON.stringify(request)
      const answer = yield* Effect.tryPromise(() =>
        fetch(infer, { method: "POST", body }).then((response) => response.text())
      )
      yield* Report.line(`\nServing on ${url}. A point's class is one request away:\n`)
      yield* Report.line(`  curl -s ${infer} -d '${body}'`)
      yield* Report.line(`  ${answer}`)
      if (once) return
      yield* Report.line("\nCtrl-C ends it.")
      yield* Effect.never
    })
  )
