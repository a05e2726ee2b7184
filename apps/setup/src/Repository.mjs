/**
 * Paths in this clone and in the user's cache.
 */
import { homedir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The folder of the clone. */
export const root = fileURLToPath(new URL("../../..", import.meta.url))

/** A path inside the clone. @param {Array<string>} parts */
export const at = (...parts) => join(root, ...parts)

/** Whether this is Windows, where commands end in .cmd and need a shell. */
export const windows = process.platform === "win32"

/** Node 24, from the npm package `node`. */
export const node = at("node_modules", "node", "bin", windows ? "node.exe" : "node")

/** The folder of the packages' commands. */
export const commands = at("node_modules", ".bin")

/** The folder for downloads, shared by all clones of a user. */
export const cache = process.env.RAI_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "rai")
