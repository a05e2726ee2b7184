/**
 * The command line as one file: read from seven hundred modules, it would take Node most of a second to begin. Made anew where a source is newer.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { createRequire, isBuiltin } from "node:module"
import { dirname, join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { at, root } from "./Repository.mjs"

const source = at("apps", "cli", "src", "main.ts")
const folder = at("apps", "cli", ".bundle")
const made = join(folder, "main.js")

/** When anything below was last written, made or removed. @param {string} path @returns {number} */
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
 * A thread begins with a file of its own: read from its sources, each would load the compiler that takes their types out.
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
 * Every module goes on thinking that it is where its source lies: there it finds its data and the packages that it names. One that begins a
 * thread with itself names its own file.
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
 * Imported as a module, `node:http` reads all that it exports, a WebSocket among it, for which Node loads a whole client.
 * @type {import("rolldown").Plugin}
 */
const lean = {
  name: "node:http without what nobody asks for",
  resolveId: { filter: { id: /^node:http$/ }, handler: () => "\0http.cjs" },
  load: { filter: { id: /^\0http\.cjs$/ }, handler: () => 'module.exports = process.getBuiltinModule("node:http")' }
}

/** Packages that bring compiled code stay where they are. */
const native = /^(onnxruntime-node|@resvg\/resvg-js)$/

/** @param {string} file */
const fromBundle = (file) => relative(folder, file).split(sep).join("/")

/** By then nobody is about to read a part of an older bundle. */
const day = 24 * 60 * 60_000

// Written beside, then moved file by file, the first to be read last: whoever runs the one before finds its parts, which bear other names.
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

/** The file to run; the sources themselves where no bundle can be made. @returns {Promise<string>} */
export const ensure = async () => {
  try {
    if (!isCurrent()) await make()
    return made
  } catch {
    return source
  }
}
