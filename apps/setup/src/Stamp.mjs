/**
 * A record of what set-up has done, so that nothing is done twice: a small file inside `node_modules`, deleted with it.
 */
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { at } from "./Repository.mjs"

/**
 * @typedef {object} Native
 * @property {string} key hash of the sources that installed it
 * @property {"native" | "wasm"} engine
 * @property {string} line the outcome, for people
 * @property {ReadonlyArray<string>} files that must exist
 * @property {ReadonlyArray<string>} missing programs; if any of them appears, another attempt is worthwhile
 * @property {number} seconds spent downloading
 * @property {number} [tried] time of the last attempt, in milliseconds
 *
 * @typedef {{ readonly packages?: string, readonly pnpm?: string, readonly native?: Native }} Stamp
 */

const file = at("node_modules", ".rai-setup.json")

/** Reads the stamp; empty where the file is missing or truncated. @returns {Stamp} */
export const read = () => {
  try {
    return JSON.parse(readFileSync(file, "utf8"))
  } catch {
    return {}
  }
}

/** Adds to the stamp: written to a file beside it, then renamed. @param {Stamp} part */
export const add = (part) => {
  const stamp = { ...read(), ...part }
  writeFileSync(`${file}.part`, `${JSON.stringify(stamp, null, 2)}\n`)
  renameSync(`${file}.part`, file)
  return stamp
}

/** One hash over the names and contents of files. @param {ReadonlyArray<string>} files */
export const hash = (files) => {
  const all = createHash("sha256")
  for (const name of files) all.update(`${name}\0`).update(existsSync(name) ? readFileSync(name) : "")
  return all.digest("hex")
}

/** Every package of the workspace, as a path from its root. */
export const workspace = (root = at()) =>
  ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group))
      .filter((name) => existsSync(join(root, group, name, "package.json")))
      .map((name) => `${group}/${name}`)
  )
