/**
 * The tables of the README, written anew by a run of all rows, so that they say what the kept results say.
 */
import * as Report from "./Report.ts"
import type { Answered } from "./Row.ts"

/** A table stands between `<!-- bench: TOPIC -->` and `<!-- /bench -->`. */
const tables = /(<!-- bench: (.+?) -->)[\s\S]*?(<!-- \/bench -->)/g

/** The rows whose question begins with these words have tables of their own. */
const topics = ["serving", "the exported deep circuit"]

const topicOf = ({ question }: Answered): string => topics.find((topic) => question.startsWith(topic)) ?? "training"

/** The README with the tables of these rows, each below the line that says how they were measured. */
export const withTables = (readme: string, measured: string, rows: ReadonlyArray<Answered>): string =>
  readme.replaceAll(tables, (table, opening: string, topic: string, closing: string) => {
    const own = rows.filter((row) => topicOf(row) === topic)
    return own.length === 0 ? table : [opening, measured, Report.table(own), closing].join("\n\n")
  })
