/**
 * Compares this project with its peers, interleaved within each row: medians, spread and ratios, as a table, plots and a JSON file.
 */
import { availableParallelism, cpus, loadavg } from "node:os"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, FileSystem, Option, Path, Struct } from "effect"
import { Command, Flag } from "effect/cli"
import * as Cold from "./Cold.ts"
import * as Exported from "./Exported.ts"
import * as Peers from "./Peers.ts"
import * as Readme from "./Readme.ts"
import * as Report from "./Report.ts"
import * as Row from "./Row.ts"
import * as Rows from "./Rows.ts"

const folder = new URL("../results/", import.meta.url).pathname
const readme = new URL("../../../README.md", import.meta.url).pathname

const bench = Command.make(
  "bench",
  {
    scripts: Flag.Directory("peers").pipe(
      Flag.withDescription("the folder of the peers' scripts; without it this project is measured alone"),
      Flag.optional
    ),
    python: Flag.File("python").pipe(
      Flag.withDescription("a Python with torch, onnxscript, jax and scikit-learn; the one that `bench peers` makes"),
      Flag.optional
    ),
    rounds: Flag.Int("rounds").pipe(Flag.withDefault(3)),
    only: Flag.String("only").pipe(Flag.withDescription("the rows whose question holds this text"), Flag.optional),
    quick: Flag.Boolean("quick").pipe(
      Flag.withDescription("one short round, under two minutes"),
      Flag.withDefault(false)
    ),
    out: Flag.String("out").pipe(
      Flag.withDescription("the folder of the results; with --only nothing is written unless it is given"),
      Flag.optional
    )
  },
  Effect.fn("bench")(function* ({ only, out: given, python, quick, rounds, scripts }) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const interpreter = Option.getOrUndefined(python) ?? (yield* Peers.python)
    const peers =
      Option.isNone(scripts) || interpreter === undefined ? undefined : { python: interpreter, scripts: scripts.value }
    if (peers === undefined) yield* Console.error("no peers: give --peers DIR, and run `bench peers` once")
    const machine = `${availableParallelism()} cores, ${cpus()[0]?.model.trim() ?? "unknown"}, load ${loadavg()[0]!.toFixed(1)}`
    const wanted = (text: string) => Option.isNone(only) || text.includes(only.value)
    const exported =
      interpreter === undefined || !Exported.questions.some(wanted)
        ? []
        : yield* Exported.rows(interpreter).pipe(
            Effect.catchTag("NotExported", ({ message }) => Effect.as(Console.error(message), []))
          )
    const all = [...Rows.make(peers, quick, yield* Cold.make), ...exported]
    const asked = all.filter(({ question }) => wanted(question))
    const costs = Rows.costs(quick)
    const askedCosts = costs.filter(({ row }) => wanted(row.question))
    if (asked.length + askedCosts.length === 0) {
      const questions = [...all, ...costs.map(({ row }) => row)].map(({ question }) => `\n  ${question}`)
      yield* Console.error(`expected --only to be in one of these questions, but none holds it:${questions.join("")}`)
      return yield* Effect.sync(() => {
        process.exitCode = 2
      })
    }
    const answered = (row: Row.Row) => Row.ask(row, quick ? 1 : rounds)
    const rows = yield* Effect.forEach(asked, answered)
    // Along an axis, the ratio to the first point means nothing.
    const series = yield* Effect.forEach(askedCosts, ({ axis, row }) =>
      Effect.map(answered(row), ({ answers, ...of }) => ({ axis, ...of, answers: answers.map(Struct.omit(["ratio"])) }))
    )
    const measured = `Measured on ${machine}; ${quick ? 1 : rounds} rounds, interleaved.`
    const page = [measured, Report.table(rows), ...series.map(Report.along)].join("\n\n")
    yield* Console.log(page)
    // The default folder only takes results of all rows.
    const out = Option.getOrElse(given, () => (Option.isNone(only) ? folder : undefined))
    if (out === undefined) return
    yield* fs.makeDirectory(out, { recursive: true })
    const result = { machine, quick, rows, series }
    yield* fs.writeFileString(path.join(out, "bench.json"), `${JSON.stringify(result, undefined, 2)}\n`)
    yield* fs.writeFileString(path.join(out, "bench.md"), `${page}\n`)
    for (const each of series) {
      yield* fs.writeFileString(path.join(out, `${each.axis}.svg`), yield* Report.chart(each, machine))
    }
    if (out !== folder || quick || peers === undefined) return
    const told = Readme.withTables(yield* fs.readFileString(readme), measured, rows)
    yield* fs.writeFileString(readme, told)
  }, Effect.scoped)
).pipe(
  Command.withDescription("Measure this project beside its peers"),
  Command.withSubcommands([
    Command.make("peers", {}, () => Peers.setUp).pipe(
      Command.withDescription("Set the peers up: a virtual environment with PyTorch, JAX and scikit-learn")
    )
  ])
)

Command.run(bench, { version: "0.1.0" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
