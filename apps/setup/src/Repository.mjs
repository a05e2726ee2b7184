/**
 * Where things lie in this clone, and for this user.
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

/** Node 24, as the package `node` brings it. */
export const node = at("node_modules", "node", "bin", windows ? "node.exe" : "node")

/** Commands that the packages bring. */
export const commands = at("node_modules", ".bin")

/** Where downloads are kept for all clones of a user. */
export const cache = process.env.RAI_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "rai")
