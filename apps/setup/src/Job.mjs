/**
 * A job under Node 24: its signals and its exit code are passed on, as if it had been called directly.
 */
import { spawn } from "node:child_process"
import { constants } from "node:os"
import { delimiter } from "node:path"
import { say } from "./Progress.mjs"
import { commands, node } from "./Repository.mjs"

/** What a job and its children find in their environment. */
export const environment = () => ({
  TF_CPP_MIN_LOG_LEVEL: "3",
  ORT_DISABLE_TELEMETRY: "1",
  NODE_NO_WARNINGS: "1",
  ...process.env,
  PATH: [commands, process.env.PATH].join(delimiter)
})

/** Runs `node … args` and ends this process as it ends. @param {ReadonlyArray<string>} args */
export const become = (args) => {
  const child = spawn(node, args, { stdio: "inherit", env: environment() })
  // A terminal sends its ^C to both of us; a second one would cut the child's saving short.
  const terminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)
  process.on("SIGINT", () => terminal || child.kill("SIGINT"))
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP"])) process.on(signal, () => child.kill(signal))
  child.on("error", (error) => fail(error))
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal === null ? 1 : constants.signals[signal])))
}

/** One line for people, exit code 1. @param {unknown} error */
export const fail = (error) => {
  say(error instanceof Error ? error.message : String(error))
  process.exit(1)
}
