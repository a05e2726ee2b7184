/**
 * The command line as users run it: a process of its own.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The command line's file. */
export const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts `rai` with these arguments. */
export const start = (...args: ReadonlyArray<string>): ChildProcess =>
  spawn(process.execPath, [main, ...args], { env: { ...process.env, NO_COLOR: "1" } })

/** What a process printed, once it has ended. */
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

/** Waits until a process has printed this on stderr. */
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

/** The JSON object in the last line of stdout. */
export const json = ({ stdout }: Outcome) => JSON.parse(stdout.trimEnd().split("\n").at(-1)!)

/** A new empty folder whose name would trip whoever splits at spaces. */
export const folder = (): string => mkdtempSync(join(tmpdir(), "rai tèst "))

/** The SHA-256 of every file in a folder, by name. */
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
