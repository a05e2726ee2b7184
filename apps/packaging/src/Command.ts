/**
 * Runs other programs to completion.
 */
import { spawnSync } from "node:child_process"

/** Runs a program and returns its stdout; throws, with the beginning of its output, where it fails. */
export const run = (command: string, args: ReadonlyArray<string>, cwd: string, env: NodeJS.ProcessEnv = {}): string => {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 1 << 28
  })
  if (status === 0) return stdout
  throw new Error(
    `expected \`${command} ${args.join(" ")}\` to end with 0, but ${status ?? error} came\n${`${stdout}\n${stderr}`.slice(0, 4000)}`
  )
}
