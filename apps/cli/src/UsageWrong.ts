/**
 * Flags that are missing, contradictory or invalid: exit code 2, as for the parser's own errors.
 */
import { Console, Effect, Schema } from "effect"
import { type CliError, CliOutput } from "effect/cli"

/** One line: what was expected, what came, what to do. */
export class UsageWrong extends Schema.TaggedError<UsageWrong>()("UsageWrong", {
  expected: Schema.String,
  came: Schema.String,
  advice: Schema.String
}) {
  override get message(): string {
    return `expected ${this.expected}, but ${this.came}; ${this.advice}`
  }
}

/** Fails with `UsageWrong` where a count is given that is below 1; `example` is a valid one. */
export const atLeastOne = (
  flag: string,
  value: number | undefined,
  example: number
): Effect.Effect<void, UsageWrong> =>
  value === undefined || value >= 1
    ? Effect.void
    : Effect.fail(
        new UsageWrong({
          expected: `--${flag} of at least 1`,
          came: `${value} came`,
          advice: `give for instance --${flag} ${example}`
        })
      )

/** Prints parser errors to stderr on one line; help goes to stdout, and only where it is asked for. */
export const layer = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Console.error(
          `error: ${event.errors.map(line).join("; ")}; \`${event.commandPath.join(" ")} --help\` says more`
        )
      : CliOutput.defaultPresenter.present(event)
})

/** The parser's messages about paths, and what was expected in each case. */
const paths = [
  ["Path is not a file", "a file"],
  ["Path is not a directory", "a folder"],
  ["Path does not exist", "a path that is there"],
  ["Failed to", "a path that may be looked at"]
] as const

const line = (error: CliError.NonShowHelpErrors): string => {
  switch (error._tag) {
    case "InvalidValue": {
      const ofPath = paths.find(([start]) => error.expected.startsWith(start))?.[1]
      const expected = ofPath ?? error.expected.replace(/^Expected:? /, "").replace("a string representing ", "")
      const name = error.kind === "argument" ? error.option : `--${error.option}`
      return `${name}: expected ${expected}, but ${error.value === "" ? "nothing" : `«${error.value}»`} came`
    }
    case "MissingOption":
      return `expected --${error.option}, but none came`
    case "MissingArgument":
      return `expected ${error.argument}, but none came`
    default:
      return error.message.replaceAll(/\s+/g, " ")
  }
}
