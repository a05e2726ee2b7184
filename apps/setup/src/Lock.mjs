/**
 * A lock that allows one set-up at a time per user: two that write to the same folders would corrupt each other's work.
 */
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { say } from "./Progress.mjs"
import { cache } from "./Repository.mjs"

/** The age in ms after which an untouched lock is stale, even if its pid is alive: the system may have reused the pid. */
const oldest = 10 * 60_000

/** @param {string} file */
const isHeld = (file) => {
  try {
    const holders = readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number)
    return Date.now() - statSync(file).mtimeMs < oldest && holders.some(isAlive)
  } catch {
    return false
  }
}

/** @param {number} pid */
const isAlive = (pid) => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/**
 * Runs `work` while holding the lock. `work` registers the pids that it starts: if it is killed and they live on, the next set-up waits for them.
 * @template A
 * @param {(name: (pid: number | undefined) => void) => Promise<A>} work
 * @param {string} [folder]
 * @returns {Promise<A>}
 */
export const hold = async (work, folder = cache) => {
  const file = join(folder, "set-up.lock")
  mkdirSync(folder, { recursive: true })
  for (let waited = 0; ; waited++) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: "wx" })
      break
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
    }
    if (!isHeld(file)) {
      rmSync(file, { force: true })
      continue
    }
    if (waited === 0) say("another set-up is at work: waiting for it")
    await new Promise((resume) => setTimeout(resume, 500))
  }
  const heartbeat = setInterval(() => utimesSync(file, new Date(), new Date()), 5_000)
  try {
    return await work((pid) => pid !== undefined && appendFileSync(file, `${pid}\n`))
  } finally {
    clearInterval(heartbeat)
    rmSync(file, { force: true })
  }
}
