/**
 * Measures the cost of an import, in a separate process.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Command from "./Command.ts"

const measured = (name: string): string => `
import * as fs from "node:fs"
import { registerHooks } from "node:module"
const modules = []
if (process.argv[2] === "--modules") registerHooks({ load: (url, context, next) => (modules.push(url), next(url, context)) })
const began = performance.now()
await import(${JSON.stringify(name)})
console.log(JSON.stringify({ milliseconds: performance.now() - began, modules }))
`

/** Milliseconds that importing `name` takes, the fastest and the median of `runs`, and the modules that it loads. */
export const measure = (folder: string, node: string, name: string, runs: number) => {
  const file = join(folder, "node_modules", ".cost.mjs")
  writeFileSync(file, measured(name))
  const once = (
    ...args: ReadonlyArray<string>
  ): { readonly milliseconds: number; readonly modules: ReadonlyArray<string> } =>
    JSON.parse(Command.run(node, [file, ...args], folder))
  const times = Array.from({ length: runs }, () => once().milliseconds).sort((a, b) => a - b)
  return { quickest: times[0]!, median: times[runs >> 1]!, modules: once("--modules").modules }
}
