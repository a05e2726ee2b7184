/**
 * Runs a job under Node 24 and passes signals and the exit code on, as if it had been called directly.
 */
import { spawn } from "node:child_process"
import { constants } from "node:os"
import { delimiter } from "node:path"
import { say } from "./Progress.mjs"
import { commands, node } from "./Repository.mjs"

/** The environment variables of a job and its children. */
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
  // A terminal sends ^C to both processes: signals that come together count as one there.
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
    process.on(signal, () => child.kill(signal))
  child.on("error", (error) => fail(error))
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (signal === null ? 1 : constants.signals[signal])))
}

/** Prints an error on one line and exits with code 1. @param {unknown} error */
export const fail = (error) => {
  say(error instanceof Error ? error.message : String(error))
  process.exit(1)
}
