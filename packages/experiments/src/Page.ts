/**
 * The result of an experiment: a page of Markdown and its plots, in the same form whenever it is made.
 */
import { Engine } from "@rai/core"
import { Effect, FileSystem, Path } from "effect"

/** A header row and rows of cells. */
export interface Table {
  readonly head: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

/** A plot stored beside the page. */
export interface Figure {
  /** Its name within the page: `accuracy` is stored as `cuts-accuracy.svg`. */
  readonly name: string
  readonly title: string
  readonly svg: string
}

/** A part of the page. */
export interface Section {
  readonly title: string
  readonly text?: ReadonlyArray<string>
  readonly table?: Table
  readonly figures?: ReadonlyArray<Figure>
}

/** The page as data. */
export interface Page {
  readonly name: string
  readonly title: string
  readonly question: string
  /** What is run, one line per contestant. */
  readonly settings: ReadonlyArray<string>
  readonly sections: ReadonlyArray<Section>
  /** What the numbers show, in sentences. */
  readonly shows: ReadonlyArray<string>
  /** The numbers themselves, for `--json`. */
  readonly rows: ReadonlyArray<unknown>
}

/** How the page was made. */
export interface Made {
  /** The command that reproduces it. */
  readonly command: string
  readonly engine: string
  readonly cores: number
}

const cell = (text: string): string => text.replaceAll("|", "\\|")

const line = (cells: ReadonlyArray<string>): string => `| ${cells.map(cell).join(" | ")} |`

/** Renders the table in Markdown, with numbers right-aligned. */
export const table = ({ head, rows }: Table): string =>
  [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n")

const fileOf = (page: Page, figure: Figure): string => `${page.name}-${figure.name}.svg`

/** Renders the page in Markdown. */
export const render = (page: Page, { command, cores, engine }: Made): string =>
  [
    `# ${page.title}`,
    page.question,
    `Made by \`${command}\` with the engine ${engine} on a machine with ${cores} ${cores === 1 ? "core" : "cores"}.`,
    ...page.sections.flatMap((section) => [
      `## ${section.title}`,
      ...(section.text ?? []),
      ...(section.table === undefined ? [] : [table(section.table)]),
      ...(section.figures ?? []).map((figure) => `![${figure.title}](${fileOf(page, figure)})`)
    ]),
    "## What it shows",
    page.shows.map((sentence) => `- ${sentence}`).join("\n"),
    "## Settings",
    page.settings.map((setting) => `- ${setting}`).join("\n")
  ]
    .join("\n\n")
    .concat("\n")

/** Writes `NAME.md` and its plots into a folder, which is created if necessary; returns the paths of the files, the page first. */
export const write = Effect.fn("Page.write")(function* (page: Page, folder: string, made: Omit<Made, "engine">) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { name: engine } = yield* Engine.Engine
  const figures = page.sections.flatMap((section) => section.figures ?? [])
  const files = [
    [`${page.name}.md`, render(page, { ...made, engine })],
    ...figures.map((figure) => [fileOf(page, figure), figure.svg])
  ] as const
  yield* fs.makeDirectory(folder, { recursive: true })
  return yield* Effect.forEach(files, ([name, text]) => {
    const file = path.join(folder, name!)
    return Effect.as(fs.writeFileString(file, text!), file)
  })
})
