/**
 * Processor time of a process, which other load on the machine affects little.
 */
import { existsSync, readFileSync } from "node:fs"

/** User and system seconds of all the threads of a process, in ticks of 10 ms; NaN except on Linux. */
export const seconds = (pid: number | undefined): number => {
  if (!existsSync(`/proc/${pid}/stat`)) return Number.NaN
  // The second field, the command in parentheses, may contain any characters.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ")
  return (Number(fields[11]) + Number(fields[12])) / 100
}
