/**
 * Runs the command line as users do, in a process of its own.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** Path of the command line's entry file. */
export const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts `rai` with these arguments. */
export const start = (...args: ReadonlyArray<string>): ChildProcess =>
  spawn(process.execPath, [main, ...args], { env: { ...process.env, NO_COLOR: "1" } })

/** Waits for a process to end and returns what it printed. */
export const ended = (child: ChildProcess): Promise<Outcome> =>
  new Promise((resolve) => {
    let [stdout, stderr] = ["", ""]
    child.stdout?.on("data", (bytes) => {
      stdout += bytes
    })
    child.stderr?.on("data", (bytes) => {
      stderr += bytes
    })
    child.on("close", (code) => resolve({ code, stdout, stderr }))
  })

/** Waits until a process has printed `text` on stderr. */
export const heard = (child: ChildProcess, text: string): Promise<void> =>
  new Promise((resolve) => {
    let all = ""
    child.stderr?.on("data", (bytes) => {
      all += bytes
      if (all.includes(text)) resolve()
    })
  })

/** Runs `rai` to its end. */
export const rai = (...args: ReadonlyArray<string>): Promise<Outcome> => ended(start(...args))

/** Parses the JSON object in the last line of stdout. */
export const json = ({ stdout }: Outcome) => JSON.parse(stdout.trimEnd().split("\n").at(-1)!)

/** Makes an empty folder whose name breaks code that splits paths at spaces or expects ASCII. */
export const folder = (): string => mkdtempSync(join(tmpdir(), "rai tèst "))

/** Returns the SHA-256 of every file in a folder, by name. */
export const hashes = (of: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(of, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [
        name,
        createHash("sha256")
          .update(readFileSync(join(of, name)))
          .digest("hex")
      ])
  )
