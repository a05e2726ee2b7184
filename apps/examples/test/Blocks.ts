/**
 * The documentation's examples: every fenced `ts` block in a doc comment, in a README.md or in ARCHITECTURE.md, as a module.
 */
import { existsSync, globSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** One example. */
export interface Block {
  /** Location of its opening fence, such as `packages/core/src/circuit/Circuit.ts:66`. */
  readonly place: string
  readonly code: string
}

/** Finds every example under a repository's root, in order of the file names. */
export const find = (root: string): ReadonlyArray<Block> => {
  const sources = globSync("packages/*/src/**/*.ts", { cwd: root }).filter((file) => !file.endsWith("_pb.ts"))
  const pages = ["README.md", "ARCHITECTURE.md"].filter((page) => existsSync(join(root, page)))
  const ofPackages = globSync("packages/*/README.md", { cwd: root })
  return [...pages, ...ofPackages.sort(), ...sources.sort()].flatMap((file) =>
    inText(file, readFileSync(join(root, file), "utf8"))
  )
}

/** Finds the examples in one file; in TypeScript only those in doc comments. */
export const inText = (file: string, text: string): ReadonlyArray<Block> => {
  const margin = file.endsWith(".md") ? "" : "^\\s*\\* ?"
  const lines = text.split("\n").map((line) => (margin === "" ? line : (line.match(`${margin}(.*)$`)?.[1] ?? "")))
  const blocks: Array<Block> = []
  for (let i = 0; i < lines.length; i++) {
    if (!/^```ts\b/.test(lines[i]!)) continue
    const end = lines.indexOf("```", i + 1)
    if (end < 0) throw new Error(`${file}:${i + 1}: expected a closing fence of the example, but none came; add one`)
    blocks.push({ place: `${file}:${i + 1}`, code: lines.slice(i + 1, end).join("\n") })
    i = end
  }
  return blocks
}

/** Whether an example serves until it is stopped, so that it is only compiled and not run. */
export const neverEnds = ({ code }: Block): boolean => /\bLayer\.launch\b/.test(code)

/** Whether an example is a whole program, which ends its process. */
export const isMain = ({ code }: Block): boolean => /\brunMain\b/.test(code)

/**
 * Turns an example into a module in which every `expression // => value`, also as `const name = expression // => value`, is an assertion;
 * after `console.log(expression)` the value is the text it prints.
 */
export const toModule = ({ code }: Block): string => {
  const lines = code.split("\n")
  const out: Array<string> = []
  for (const line of lines) {
    const [, statement, value] = line.match(/^(.*?)\s*\/\/ => (.*)$/) ?? []
    if (statement === undefined) {
      out.push(line)
      continue
    }
    // The value may stand on a line of its own. A statement begins where its brackets balance and no method call goes on from the line above.
    let whole = statement.trim() === "" ? (out.pop() ?? "") : statement
    while (out.length > 0 && (depth(whole) < 0 || /^\s*[.)\]}]/.test(whole))) whole = `${out.pop()}\n${whole}`
    const name = whole.match(/^\s*const (\w+)/)?.[1]
    const logged = whole.match(/^\s*console\.log\((.*)\)\s*$/s)?.[1]
    if (logged !== undefined) out.push(`equal(format(${logged}), ${JSON.stringify(value)})`)
    else if (name !== undefined) out.push(whole, `equal(${name}, ${value})`)
    else out.push(`equal(${whole}, ${value})`)
  }
  return `${preamble}${out.join("\n")}\n`
}

const depth = (text: string): number => (text.match(/[([{]/g)?.length ?? 0) - (text.match(/[)\]}]/g)?.length ?? 0)

const preamble = `import { deepStrictEqual } from "node:assert/strict"
import { format } from "node:util"

const equal: (came: unknown, expected: unknown) => void = deepStrictEqual
void [equal, format]

`
