/**
 * `rai history`: what a run measured, as a table.
 */
import { Archive, History } from "@rai/core"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CommandFailed } from "./CommandFailed.ts"
import * as OutFile from "./OutFile.ts"
import * as PathText from "./PathText.ts"
import * as Report from "./Report.ts"
import * as RunFolder from "./RunFolder.ts"
import * as Table from "./Table.ts"

/** The command. */
export const command = Command.make(
  "history",
  {
    run: PathText.argument("DIR").pipe(Argument.withDescription("the folder that `rai train --out` wrote")),
    csv: Flag.File("csv").pipe(Flag.withDescription("the .csv file to write, with all columns"), Flag.optional),
    json: Report.jsonFlag.pipe(
      Flag.withDescription("the last line of stdout is one JSON object, with an array for each column")
    )
  },
  Effect.fn("history")(function* ({ csv, json, run }) {
    if (Option.isSome(csv)) yield* OutFile.table("csv", csv.value)
    yield* RunFolder.single(run)
    const rows = yield* RunFolder.rows(run)
    if (rows.length === 0) {
      return yield* new CommandFailed({
        expected: `measurements of a run in ${run}`,
        came: "there are none",
        advice: "name a folder that `rai train --out` wrote"
      })
    }
    if (Option.isSome(csv)) yield* Archive.replace(csv.value, new TextEncoder().encode(History.csv(rows)))
    const phases = rows.map(({ phase }) => phase)
    yield* Report.result(json, { run, phase: phases, ...History.columns(rows) }, [
      ...Table.lines(table(rows)),
      ...(Option.isSome(csv) ? [csv.value] : [])
    ])
  })
)

type Numbers = Readonly<Record<string, number>>

const number = (name: string) => (numbers: Numbers) => Report.number(numbers[name])
const percent = (name: string) => (numbers: Numbers) => Report.percent(numbers[name])

/** The columns that fit side by side on a terminal. */
const columns: ReadonlyArray<readonly [head: string, cell: (numbers: Numbers) => string]> = [
  ["step", ({ total }) => String(total)],
  ["time", ({ seconds }) => Report.seconds(seconds!)],
  ["relaxed loss", number("relaxedLoss")],
  ["free-run loss", number("freeRunLoss")],
  ["variance left", number("freeRunShare")],
  ["accuracy", percent("freeRunAccuracy")],
  ["validation loss", number("validationLoss")],
  ["validation accuracy", percent("validationAccuracy")],
  ["largest residual", number("largestResidual")]
]

/** A header and one line per row, with only the columns that the run has measured. */
const table = (rows: ReadonlyArray<History.Row>): ReadonlyArray<ReadonlyArray<string>> => {
  const numbers = rows.map(History.numbers)
  const measured = columns
    .map(([head, cell]) => [head, ...numbers.map(cell)])
    .filter(([, ...cells]) => cells.some((cell) => cell !== "–"))
  return ["phase", ...rows.map(({ phase }) => phase)].map((phase, i) => [phase, ...measured.map((cells) => cells[i]!)])
}
