/**
 * The native TensorFlow library, installed by an Effect program of core under Node 24.
 */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"
import { at, commands, node, root } from "./Repository.mjs"
import * as Stamp from "./Stamp.mjs"

const modules = "NativeLibrary TfjsNode Cache TensorFlowWheel Addon Revision Download Tool Wheel".split(" ")

const sources = [...modules.map((name) => `${name}.ts`), "signals.cc", "quiet.cc"].map((file) =>
  at("packages", "core", "src", "engine", "tfjs", file)
)

/** Time in ms before another attempt, where the last one failed for a reason other than a missing program. */
const patience = 10 * 60_000

/** @param {string} name */
const isOnPath = (name) => (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)))

/** Whether nothing is left to do: it is installed, or the reason it could not be still holds. @param {Stamp.Stamp} stamp */
export const isCurrent = ({ native }) => {
  if (native === undefined || native.key !== Stamp.hash(sources)) return false
  if (native.engine === "native") return native.files.every((file) => existsSync(file))
  return native.missing.length > 0 ? !native.missing.some(isOnPath) : Date.now() - (native.tried ?? 0) < patience
}

/**
 * Installs the library, or finds out why it cannot be installed; returns the seconds spent downloading.
 * @param {(pid: number | undefined) => void} name
 * @returns {Promise<number>}
 */
export const install = (name) =>
  new Promise((resume, fail) => {
    const env = {
      ...process.env,
      NODE_NO_WARNINGS: "1",
      NODE_USE_ENV_PROXY: "1",
      PATH: [commands, process.env.PATH].join(delimiter)
    }
    // The pipe to stdin tells the child when this process is gone.
    const child = spawn(node, [at("apps", "setup", "src", "native.ts")], {
      cwd: root,
      env,
      stdio: ["pipe", "pipe", "inherit"]
    })
    name(child.pid)
    let said = ""
    child.stdout.on("data", (bytes) => (said += bytes))
    child.on("error", fail)
    child.on("close", (code) => {
      if (code !== 0) return fail(new Error(`the native library's set-up ended with ${code}; run it again, it goes on`))
      const outcome = JSON.parse(said)
      Stamp.add({ native: { ...outcome, key: Stamp.hash(sources), tried: Date.now() } })
      resume(outcome.seconds)
    })
  })
