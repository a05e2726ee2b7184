/**
 * What a process has computed, which others at work on the machine change little.
 */
import { existsSync, readFileSync } from "node:fs"

/** Seconds of all its threads, in its own code and the kernel's, of ticks of 10 ms; NaN where the system does not tell, which Linux alone does. */
export const seconds = (pid: number | undefined): number => {
  if (!existsSync(`/proc/${pid}/stat`)) return Number.NaN
  // The second field, the command in brackets, may hold anything.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")
  return (Number(fields[11]) + Number(fields[12])) / 100
}
