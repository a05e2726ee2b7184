/**
 * A package as it is published: its JavaScript in one piece for each entry, its declarations file by file, both with maps to the sources.
 */
import { spawnSync } from "node:child_process"
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import { type Plugin, rolldown } from "rolldown"
import { type Package, root } from "./Package.ts"

const require = createRequire(import.meta.url)

/** What a module names by `new URL("…", import.meta.url)`: a file goes along as it is, a thread's module is built as an entry is. */
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
      return { code: replaced, map: null } // each line stays where it is
    }
  }
}

/** Imported as a whole, `effect` reads some 250 files; each of its modules, named, reads what it needs. */
const lean: Plugin = {
  name: "modules of effect by name",
  renderChunk: (code) => ({
    code: code.replaceAll(/^import \{ ([^}]+) \} from "(effect(?:\/[a-z-]+)?)";$/gm, (_, names: string, from: string) =>
      names
        .split(", ")
        .map((each) => {
          const [name, as = name] = each.split(" as ")
          // What is written small is a function of several modules, such as pipe.
          const isModule = /^[A-Z]/.test(name!)
          return isModule ? `import * as ${as} from "${from}/${name}";` : `import { ${each} } from "${from}";`
        })
        .join(" ")
    ),
    map: null
  })
}

/** onnxruntime-node goes along whole, but for the script that npm would run: it lies beside what is built. */
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
    // The sources, which go along, say it; what is imported is read the sooner.
    comments: { jsdoc: false, legal: true, annotation: true },
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js"
  })
  await bundle.close()
}

/** TypeScript leaves `.ts` in the declarations' imports, which compilers of other settings do not follow. */
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

/** Builds a package into its folder `dist`. */
export const build = async (each: Package): Promise<void> => {
  rmSync(join(each.folder, "dist"), { recursive: true, force: true })
  await javascript(each)
  if (each.imports.length > 0) declarations(each)
  if (each.name === "@rai/onnxruntime") runtime(each)
}
