/**
 * Bundles the command line: loaded from seven hundred modules, it takes Node most of a second to start. Rebuilt when a source is newer.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { createRequire, isBuiltin } from "node:module"
import { dirname, join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { at, root } from "./Repository.mjs"

const source = at("apps", "cli", "src", "main.ts")
const folder = at("apps", "cli", ".bundle")
const made = join(folder, "main.js")

/** The latest modification time at or below a path, additions and removals included. @param {string} path @returns {number} */
const latest = (path) => {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => latest(join(path, name))))
}

const isCurrent = () => {
  try {
    const packages = readdirSync(at("packages")).map((name) => at("packages", name, "src"))
    const sources = [...packages, at("apps", "cli", "src"), at("pnpm-lock.yaml"), fileURLToPath(import.meta.url)]
    return statSync(made).mtimeMs >= Math.max(...sources.map(latest))
  } catch {
    return false
  }
}

/**
 * Gives each worker thread an entry file in the bundle: started from its sources, every thread would load the compiler that strips their types.
 * @type {import("rolldown").Plugin}
 */
const threads = {
  name: "threads",
  transform: {
    filter: { code: "new Worker(" },
    handler(code, id) {
      return code.replaceAll(/new Worker\(new URL\("([^"]+)", import\.meta\.url\)/g, (_, path) => {
        const thread = this.emitFile({ type: "chunk", id: join(dirname(id), path) })
        return `new Worker(new URL(import.meta.ROLLUP_FILE_URL_${thread})`
      })
    }
  }
}

/**
 * Keeps `import.meta.url` of every module at its source's location, where it finds its data and the packages it names. A module that starts a
 * thread from itself still refers to its own bundled file.
 * @type {import("rolldown").Plugin}
 */
const placed = {
  name: "where sources lie",
  transform: {
    filter: { code: "import.meta.url" },
    handler: (code, id) => {
      const url = `new URL(${JSON.stringify(fromBundle(id))}, import.meta.url).href`
      return code.replaceAll(/(?<!new Worker\(new URL\()import\.meta\.url/g, () => url)
    }
  },
  resolveId: {
    filter: { id: /^[^./]/ },
    handler: (id, importer) => {
      if (importer === undefined || isBuiltin(id) || !native.test(id)) return null
      return { id: fromBundle(createRequire(importer).resolve(id)), external: "relative" }
    }
  }
}

/**
 * Loads `node:http` without an ES import, which would read all its exports, including WebSocket, for which Node loads a whole client.
 * @type {import("rolldown").Plugin}
 */
const lean = {
  name: "node:http without what nobody asks for",
  resolveId: { filter: { id: /^node:http$/ }, handler: () => "\0http.cjs" },
  load: { filter: { id: /^\0http\.cjs$/ }, handler: () => 'module.exports = process.getBuiltinModule("node:http")' }
}

/** Packages with native code, which stay outside the bundle. */
const native = /^(onnxruntime-node|@resvg\/resvg-js)$/

/** @param {string} file */
const fromBundle = (file) => relative(folder, file).split(sep).join("/")

/** The age in ms after which no process can still be loading chunks of an older bundle. */
const day = 24 * 60 * 60_000

// Written to a folder beside it, then moved file by file, the entry file last; a process on the previous bundle still finds its chunks, whose
// hashed names differ.
const make = async () => {
  const beside = `${folder}.${process.pid}`
  try {
    const { rolldown } = await import("rolldown")
    const bundle = await rolldown({
      input: source,
      platform: "node",
      plugins: [threads, placed, lean],
      logLevel: "silent",
      cwd: root
    })
    const { output } = await bundle.write({
      dir: beside,
      format: "esm",
      comments: false,
      entryFileNames: ({ facadeModuleId }) => (facadeModuleId === source ? "main.js" : "[name]-[hash].js")
    })
    await bundle.close()
    mkdirSync(folder, { recursive: true })
    for (const { fileName } of output.toReversed()) renameSync(join(beside, fileName), join(folder, fileName))
    for (const name of readdirSync(folder)) {
      if (Date.now() - statSync(join(folder, name)).mtimeMs > day) rmSync(join(folder, name), { force: true })
    }
  } finally {
    rmSync(beside, { recursive: true, force: true })
  }
}

/** Returns the file to run: the bundle, or the sources where no bundle can be made. @returns {Promise<string>} */
export const ensure = async () => {
  try {
    if (!isCurrent()) await make()
    return made
  } catch {
    return source
  }
}
