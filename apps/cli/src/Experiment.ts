/**
 * `rai experiment`: one of the paper's figures or the open questions, answered with a page and its plots.
 */
import { availableParallelism } from "node:os"
import { CircuitSpec, Engine } from "@rai/core"
import { Experiments, Page, Seeds } from "@rai/experiments"
import { Effect, FileSystem, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Described from "./Described.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as Folder from "./Folder.ts"
import * as PathText from "./PathText.ts"
import * as Report from "./Report.ts"
import { parse } from "./Seeds.ts"
import { atLeastOne } from "./UsageWrong.ts"

/** The folder for pages of whole experiments when the command runs from the repository's root. */
const kept = "apps/experiments/results"

/** The seeds of a whole experiment. */
const allSeeds = "0-9"

const flags = {
  name: Argument.Literals("NAME", Experiments.names).pipe(Argument.withDescription(Experiments.names.join(", "))),
  seeds: Flag.String("seeds").pipe(
    Described.withDefault("one run of each contestant for each, as in 0-9 or 0,2,5", allSeeds)
  ),
  steps: Flag.Int("steps").pipe(
    Flag.withDescription(
      "at most so many steps (epochs, with batches) in each phase; a figure is drawn in full, and its statistics are cut short"
    ),
    Flag.optional
  ),
  hidden: Flag.String("hidden").pipe(
    Flag.withDescription("hidden widths in place of the experiment's own, as in 100x20"),
    Flag.optional
  ),
  engine: Flag.Literals("engine", EngineChoice.names).pipe(
    Described.withDefault(
      "what computes; auto is TensorFlow.js, and each page names the engine that computed it",
      "auto"
    )
  ),
  out: PathText.flag("out").pipe(
    Flag.withDescription(
      `the folder for NAME.md and its plots; of a whole experiment ${kept} where there is one, else results`
    ),
    Flag.optional
  ),
  json: Report.jsonFlag
}

/** The command. */
export const command = Command.make("experiment", flags, (given) => experiment(given)).pipe(
  Command.withExamples([{ command: "rai experiment figure-5 --seeds 0-2 --steps 1000" }])
)

const experiment = Effect.fn("experiment")(function* (given: Command.Command.Config.Infer<typeof flags>) {
  const fs = yield* FileSystem.FileSystem
  const chosen = Experiments.named(given.name)!
  const seeds = yield* parse(given.seeds)
  const steps = Option.getOrUndefined(given.steps)
  yield* atLeastOne("steps", steps, 1000)
  const hidden = Option.getOrUndefined(given.hidden)
  if (hidden !== undefined) yield* CircuitSpec.widths(`1,${hidden},1`)
  const isWhole = Seeds.print(seeds) === allSeeds && steps === undefined && hidden === undefined
  const byDefault = isWhole && (yield* fs.exists(kept)) ? kept : "results"
  const folder = Option.getOrElse(given.out, () => byDefault)
  yield* Folder.make(folder)
  const settings = { seeds, steps, hidden }
  const command = [
    `rai experiment ${chosen.name} --seeds ${Seeds.print(seeds)}`,
    ...(steps === undefined ? [] : [`--steps ${steps}`]),
    ...(hidden === undefined ? [] : [`--hidden ${hidden}`])
  ].join(" ")
  yield* Effect.gen(function* () {
    const { name: engine } = yield* Engine.Engine
    const runs = chosen.runs(settings)
    yield* Report.progress(`${chosen.name}: ${runs} ${runs === 1 ? "run" : "runs"}`)
    const page = yield* chosen.page({ ...settings, follow: counting(runs) })
    const made = { command: `${command} --engine ${engine}`, cores: availableParallelism() }
    const [file, ...plots] = yield* Page.write(page, folder, made)
    const { name, rows, shows } = page
    yield* Report.result(given.json, { name, page: file, plots, rows, shows }, [...shows, `written to ${file}`])
  }).pipe(Effect.provide(given.engine === "auto" ? EngineChoice.usual : EngineChoice.table[given.engine]))
})

/** Reports each run with its place among all. */
const counting = (all: number) => {
  let run = 0
  return (line: string) => Effect.suspend(() => Report.progress(`${++run} of ${all}: ${line}`))
}
