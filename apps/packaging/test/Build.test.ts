/**
 * The packages as published: `npm run package-check` also installs them in empty projects, which takes minutes.
 */
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { publint } from "publint"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import * as Build from "../src/Build.ts"
import * as Command from "../src/Command.ts"
import * as Cost from "../src/Cost.ts"
import * as Package from "../src/Package.ts"
import * as Packed from "../src/Packed.ts"

const packages = Package.all()
const core = packages.find(({ name }) => name === "@rai/core")!
const names = (texts: ReadonlyArray<string>) => [...texts].sort()

/** Returns the built declaration files without their comments. */
const declarations = (folder: string): ReadonlyArray<readonly [file: string, text: string]> =>
  globSync("dist/**/*.d.ts", { cwd: folder, exclude: ["dist/onnxruntime-node/**"] }).map((file) => [
    file,
    readFileSync(join(folder, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")
  ])

const folder = mkdtempSync(join(tmpdir(), "rai-build-"))
beforeAll(async () => {
  for (const each of packages) await Build.build(each)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("all packages are published but those that serve this repository alone", () => {
  expect(packages.map(({ name }) => name)).toEqual([
    "@rai/cli",
    "@rai/client",
    "@rai/conformance",
    "@rai/core",
    "@rai/experiments",
    "@rai/export",
    "@rai/fp-ts",
    "@rai/onnx-engine",
    "@rai/onnxruntime",
    "@rai/plots",
    "@rai/serving",
    "@rai/tensorboard"
  ])
})

describe.each(packages)("$name", ({ entries, folder, imports }) => {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))

  test("has every entry, with a map to the sources, and its declarations", () => {
    expect(entries).not.toEqual([])
    for (const entry of entries) {
      expect(existsSync(join(folder, "dist", `${entry}.js`))).toBe(true)
      expect(existsSync(join(folder, "dist", `${entry}.d.ts`))).toBe(imports.length > 0)
    }
    const mapped = globSync("dist/**/*.js", { cwd: folder, exclude: ["dist/onnxruntime-node/**"] })
    expect(mapped.some((file) => readFileSync(join(folder, file), "utf8").includes("//# sourceMappingURL="))).toBe(true)
  })

  // A pipeline's inferred type may name what no module exports by itself: a user's declarations name it by ./types/*.
  test("publishes what the workspace exports, and the types of all", () => {
    const others = imports.length > 0 ? ["./types/*", "./package.json"] : ["./package.json"]
    const published = Object.keys(manifest.publishConfig.exports).filter((key) => !others.includes(key))
    expect(names(published)).toEqual(names(Object.keys(manifest.exports ?? {})))
  })

  test("says any of nothing that it exports", () => {
    // What effect's own Data classes say of their fields.
    const ours = (text: string) => text.replaceAll("new <A extends Record<string, any> = {}>", "")
    const said = declarations(folder).filter(([file, text]) => /\bany\b/.test(ours(text)) && !file.endsWith("_pb.d.ts"))
    expect(said).toEqual([])
  })

  test("imports no source", () => {
    expect(declarations(folder).filter(([, text]) => /(from |import\()"[^"]*(?<!\.d)\.ts"/.test(text))).toEqual([])
  })
})

// One package's install script can break the whole installation.
test("no dependency has a script that runs when it is installed", () => {
  const scripts = packages.flatMap(({ folder }) => {
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
    return Object.keys(dependencies).filter((name) => {
      const found = JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8")).scripts ?? {}
      return found.preinstall ?? found.install ?? found.postinstall
    })
  })
  expect(scripts).toEqual([])
})

// The package that contains onnxruntime takes half a minute to pack.
const light = packages.filter(({ name }) => name !== "@rai/onnxruntime")
test.each(light)("publint has nothing to say of $name, packed", { timeout: 60_000 }, async (each) => {
  const [{ file }] = Packed.pack(folder, [each]) as [Packed.Packed]
  const tarball = new Uint8Array(readFileSync(file)).buffer
  const { messages } = await publint({ pack: { tarball }, strict: true })
  expect(messages).toEqual([])
})

test("@rai/serving serves its page as it was built: in one module, without a build by whoever starts it", () => {
  const { folder } = packages.find(({ name }) => name === "@rai/serving")!
  const models = JSON.stringify(join(folder, "test", "fixtures", "sigmoid.onnx"))
  const script = `
    import { Effect } from "effect"
    import { InferenceServer } from "../dist/index.js"
    const server = InferenceServer.layer({ repository: ${models}, port: 0, executionProviders: ["cpu"] })
    const program = Effect.gen(function* () {
      const { url } = yield* InferenceServer.InferenceServer
      const get = (path) => Effect.promise(async () => {
        const response = await fetch(url + path, { headers: { accept: "text/html" } })
        return [response.status, response.headers.get("content-type"), await response.text()]
      })
      const paths = ["/", "/page/Page.js", "/page/page.css", "/page/icon.svg", "/page/uPlot.js", "/page/uPlot.css", "/page/Curve.ts"]
      const answers = yield* Effect.forEach(paths, get)
      process.stdout.write("\\n" + JSON.stringify(answers) + "\\n")
    })
    await Effect.runPromise(Effect.provide(program, server))`
  // A file, as threads take over how their process was started, and would look for a program on its command line.
  const file = join(folder, "node_modules", ".page.mjs")
  writeFileSync(file, script)
  const said = Command.run(process.execPath, [file], folder)
    .split("\n")
    .find((line) => line.startsWith("[["))!
  const answers: ReadonlyArray<readonly [status: number, contentType: string, text: string]> = JSON.parse(said)
  expect(answers.map(([status, contentType]) => [status, contentType])).toEqual([
    [200, "text/html; charset=utf-8"],
    [200, "text/javascript; charset=utf-8"],
    [200, "text/css; charset=utf-8"],
    [200, "image/svg+xml; charset=utf-8"],
    [200, "text/javascript; charset=utf-8"],
    [200, "text/css; charset=utf-8"],
    [404, "application/json"]
  ])
  const [, , module] = answers[1]!
  expect(module).not.toMatch(/^import /m)
  expect(module).toContain("new uPlot(")
})

describe("import @rai/core", () => {
  test("reads no engine's library, no linear algebra, no schema, nothing of the file system's", () => {
    const { modules } = Cost.measure(core.folder, process.execPath, join(core.folder, "dist", "index.js"), 1)
    expect(
      modules.filter((url) => /tensorflow|onnxruntime|ml-matrix|csv-parse|effect\/dist\/(Schema|http\/Http)/.test(url))
    ).toEqual([])
    expect(modules.length).toBeLessThan(110)
  })
})
