/**
 * The packages of the workspace, Node 24 among them, installed by the pinned pnpm.
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import * as Progress from "./Progress.mjs"
import { at, node, root, windows } from "./Repository.mjs"
import * as Stamp from "./Stamp.mjs"

const key = () =>
  Stamp.hash(
    [
      "pnpm-lock.yaml",
      "pnpm-workspace.yaml",
      "package.json",
      ...Stamp.workspace().map((name) => `${name}/package.json`)
    ].map((name) => at(name))
  )

/** Whether all packages are installed as the lock file states. @param {Stamp.Stamp} stamp */
export const isCurrent = (stamp) =>
  stamp.packages === key() && existsSync(node) && stamp.pnpm !== undefined && existsSync(stamp.pnpm)

/** Keeps pnpm from fetching another version of itself and from checking for updates; the version is pinned already. */
const environment = { ...process.env, CI: "1", pnpm_config_pm_on_fail: "ignore", npm_config_update_notifier: "false" }

/** @param {string} command @param {ReadonlyArray<string>} args @param {string} cwd */
const ask = (command, args, cwd) => {
  const { status, stdout } = spawnSync(command, args, { cwd, env: environment, encoding: "utf8", shell: windows })
  return status === 0 ? stdout.trim() : undefined
}

/** The first folder of a PATH that contains `pnpm`. @param {string} path */
const folderOf = (path) =>
  path.split(delimiter).find((folder) => existsSync(join(folder, windows ? "pnpm.cmd" : "pnpm")))

/**
 * Installs what is missing and returns the seconds it took.
 * @param {(pid: number | undefined) => void} name
 */
export const install = async (name) => {
  const began = Date.now()
  const wanted = JSON.parse(readFileSync(at("package.json"), "utf8")).packageManager // pnpm@12.21.0
  const own = ask("pnpm", ["--version"], tmpdir()) === wanted.slice("pnpm@".length)
  const [command, ...before] = own ? ["pnpm"] : ["npx", "--yes", wanted]
  const line = Progress.make("set-up: packages and Node 24")
  line.at(0)
  const args = [...before, "install", "--frozen-lockfile", "--reporter=append-only"]
  const child = spawn(command ?? "", args, {
    cwd: root,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    shell: windows
  })
  name(child.pid)
  const said = await follow(child, line)
  if (!existsSync(node)) ask(command ?? "", [...before, "rebuild", "node"], root)
  line.end()
  if (child.exitCode !== 0 || !existsSync(node)) {
    const reason = said.findLast((text) => /ERR|error/i.test(text)) ?? said.at(-1) ?? `${command} did not start`
    throw new Error(
      `the packages could not be installed: ${reason.trim()}; see to that (is there a network?) and run it again, it goes on`
    )
  }
  const path = own
    ? process.env.PATH
    : ask("npx", ["--yes", "--package", wanted, "--", "node", "-p", "process.env.PATH"], root)
  Stamp.add({ packages: key(), pnpm: folderOf(path ?? "") ?? root })
  return (Date.now() - began) / 1000
}

/**
 * Turns pnpm's «Progress: resolved 450, reused 3, downloaded 90, added 80» into a fraction, and returns all output lines at the end.
 * @param {import("node:child_process").ChildProcessByStdio<null, import("node:stream").Readable, import("node:stream").Readable>} child
 * @param {ReturnType<typeof Progress.make>} line
 * @returns {Promise<Array<string>>}
 */
const follow = (child, line) =>
  new Promise((resume) => {
    /** @type {Array<string>} */
    const lines = []
    /** @param {Buffer} bytes */
    const hear = (bytes) => {
      lines.push(
        ...bytes
          .toString()
          .split("\n")
          .filter((text) => text.trim() !== "")
      )
      const [, resolved, added] = /resolved (\d+).*added (\d+)/.exec(lines.at(-1) ?? "") ?? []
      if (resolved !== undefined) line.at(Number(added) / Math.max(1, Number(resolved)))
    }
    child.stdout.on("data", hear)
    child.stderr.on("data", hear)
    child.on("error", (error) => resume([...lines, error.message]))
    child.on("close", () => resume(lines))
  })
