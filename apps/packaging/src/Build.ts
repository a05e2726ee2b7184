/**
 * Builds a package for publication: its JavaScript bundled per entry, its declarations file by file, both with maps to the sources.
 */
import { spawnSync } from "node:child_process"
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import { type Plugin, rolldown } from "rolldown"
import { type Package, root } from "./Package.ts"

const require = createRequire(import.meta.url)

/** Handles references of the form `new URL("…", import.meta.url)`: copies plain files, and bundles a thread's module like an entry. */
const named: Plugin = {
  name: "files that modules name",
  transform: {
    filter: { code: /new URL\("/ },
    handler(code, id) {
      const replaced = code.replaceAll(/new URL\("([^"]+)", import\.meta\.url\)/g, (_, path: string) => {
        const file = join(dirname(id), path)
        const name = basename(path, ".ts")
        const reference = path.endsWith(".ts")
          ? this.emitFile({ type: "chunk", id: file, fileName: `${name}.js` })
          : this.emitFile({ type: "asset", fileName: name, source: readFileSync(file) })
        return `new URL(import.meta.ROLLUP_FILE_URL_${reference})`
      })
      return { code: replaced, map: null } // line numbers do not change
    }
  }
}

/** Rewrites imports from `effect` into imports of its single modules: importing it as a whole loads some 250 files. */
const lean: Plugin = {
  name: "modules of effect by name",
  renderChunk: (code) => ({
    code: code.replaceAll(/^import \{ ([^}]+) \} from "(effect(?:\/[a-z-]+)?)";$/gm, (_, names: string, from: string) =>
      names
        .split(", ")
        .map((each) => {
          const [name, as = name] = each.split(" as ")
          // A lower-case name, such as pipe, is a function that the index exports, not a module.
          const isModule = /^[A-Z]/.test(name!)
          return isModule ? `import * as ${as} from "${from}/${name}";` : `import { ${each} } from "${from}";`
        })
        .join(" ")
    ),
    map: null
  })
}

/** Redirects onnxruntime-node to a copy beside the build, complete except for the install script that npm would run. */
const carried: Plugin = {
  name: "onnxruntime-node beside",
  transform: {
    filter: { code: '"onnxruntime-node"' },
    handler: (code) => ({
      code: code.replaceAll('"onnxruntime-node"', '"./onnxruntime-node/dist/index.js"'),
      map: null
    })
  }
}

const javascript = async ({ entries, folder }: Package): Promise<void> => {
  const bundle = await rolldown({
    cwd: folder,
    input: Object.fromEntries(entries.map((entry) => [entry, join(folder, "src", `${entry}.ts`)])),
    platform: "node",
    external: (id) => !id.startsWith("/") && (!id.startsWith(".") || id.startsWith("./onnxruntime-node/")),
    plugins: [named, carried, lean]
  })
  await bundle.write({
    dir: join(folder, "dist"),
    format: "esm",
    sourcemap: true,
    // The sources, which are published too, keep the comments; without them the modules load faster.
    comments: { jsdoc: false, legal: true, annotation: true },
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js"
  })
  await bundle.close()
}

/** Emits the declarations and replaces `.ts` in their imports, which compilers with other settings do not resolve. */
const declarations = ({ folder }: Package): void => {
  const dist = join(folder, "dist")
  const options = ["--noEmit", "false", "--emitDeclarationOnly", "--declaration", "--declarationMap", "--outDir", dist]
  const settings = join(dist, "tsconfig.json")
  writeFileSync(settings, JSON.stringify({ extends: "../tsconfig.json", include: ["../src"] }))
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
  const args = [tsc, "--project", settings, "--rootDir", join(folder, "src"), ...options]
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" })
  rmSync(settings)
  if (status !== 0) throw new Error(`${folder}: no declarations\n${stdout}`)
  for (const file of globSync("**/*.d.ts", { cwd: dist, exclude: ["onnxruntime-node/**"] })) {
    const text = readFileSync(join(dist, file), "utf8")
    writeFileSync(
      join(dist, file),
      text
        .replaceAll(/(from |import\()"(\.[^"]*)\.ts"/g, '$1"$2.js"')
        .replaceAll('"onnxruntime-node"', '"./onnxruntime-node/dist/index.js"')
    )
  }
}

const runtime = ({ folder }: Package): void => {
  const from = dirname(dirname(require.resolve("onnxruntime-node", { paths: [folder] })))
  const to = join(folder, "dist", "onnxruntime-node")
  for (const part of ["bin", "dist", "README.md"]) cpSync(join(from, part), join(to, part), { recursive: true })
  const { license, name, version } = JSON.parse(readFileSync(join(from, "package.json"), "utf8"))
  writeFileSync(join(to, "package.json"), `${JSON.stringify({ name, version, license, type: "commonjs" }, null, 2)}\n`)
}

/** Builds a package into its `dist` folder. */
export const build = async (each: Package): Promise<void> => {
  rmSync(join(each.folder, "dist"), { recursive: true, force: true })
  await javascript(each)
  if (each.imports.length > 0) declarations(each)
  if (each.name === "@rai/onnxruntime") runtime(each)
}
