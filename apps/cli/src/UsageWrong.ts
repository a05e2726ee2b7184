/**
 * Flags that are missing, contradict each other or have no such value: exit code 2, as the parser's own complaints.
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

/** Fails where a count came that is below 1; `example` is one that would do. */
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

/** What the parser found wrong goes to stderr on one line; help goes to stdout where it is asked for, and only there. */
export const layer = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Console.error(
          `error: ${event.errors.map(line).join("; ")}; \`${event.commandPath.join(" ")} --help\` says more`
        )
      : CliOutput.defaultPresenter.present(event)
})

/** What was expected where the parser says instead what is wrong with a path. */
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
