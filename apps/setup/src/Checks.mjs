/**
 * The checks that run beside the tests: each is a command that prints nothing on success.
 */
import { spawn } from "node:child_process"
import { constants } from "node:os"
import { root, windows } from "./Repository.mjs"

/** @typedef {{ readonly name: string, readonly command: string, readonly args: ReadonlyArray<string>, readonly env?: NodeJS.ProcessEnv }} Check */

/** @type {ReadonlyArray<Check>} */
export const all = [
  { name: "format and lint", command: "biome", args: ["check", "--error-on-warnings", "."] },
  { name: "types", command: "turbo", args: ["run", "check", "--continue", "--output-logs=errors-only"] },
  {
    name: "dependency rules",
    command: "depcruise",
    args: ["--config", ".dependency-cruiser.cjs", "packages", "apps"],
    env: { NODE_OPTIONS: `--import=${new URL("TypeScript6.mjs", import.meta.url)}` }
  },
  { name: "dead code", command: "knip", args: ["--no-progress", "--no-config-hints"] }
]

/** The tests of all packages; their results are read from files. @type {Check} */
export const tests = {
  name: "tests",
  command: "turbo",
  args: ["run", "test", "--concurrency=2", "--continue", "--output-logs=none"]
}

/**
 * Runs a check and returns whether it passed, and its output.
 * @param {Check} check
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ readonly passed: boolean, readonly output: string }>}
 */
export const run = (check, env) =>
  new Promise((resume) => {
    const child = spawn(check.command, check.args, {
      cwd: root,
      env: { ...env, ...check.env },
      stdio: ["ignore", "pipe", "pipe"],
      shell: windows
    })
    /** @param {NodeJS.Signals} signal */
    const end = (signal) => {
      child.kill(signal)
      process.exit(128 + constants.signals[signal])
    }
    const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])
    for (const signal of signals) process.on(signal, end)
    child.on("close", () => {
      for (const signal of signals) process.off(signal, end)
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => (output += bytes))
    child.on("error", (error) => resume({ passed: false, output: error.message }))
    child.on("close", (code) => resume({ passed: code === 0, output: plain(output) }))
  })

/** Removes the lines that turbo and pnpm print about themselves. @param {string} output */
const plain = (output) =>
  output
    .split("\n")
    .filter((line) => !/cache (hit|miss)|\[ELIFECYCLE\]|(WARNING|ERROR) {2}command|^ {3}• /.test(line))
    .join("\n")
    .trim()
