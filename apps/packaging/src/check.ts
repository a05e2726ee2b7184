/**
 * `npm run package-check`: packs every published package and tries them as a user would, in an empty project for each of npm and pnpm, Node 22 and 24.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Command from "./Command.ts"
import * as Cost from "./Cost.ts"
import { all, root } from "./Package.ts"
import * as Packed from "./Packed.ts"
import * as Project from "./Project.ts"

const commands = join(root, "apps", "packaging", "node_modules", ".bin")

const say = (text: string) => process.stdout.write(`${text}\n`)

const others = [
  "effect@4.1.0",
  "@effect/platform-node@4.1.0",
  "fp-ts@2.16.11",
  "typescript@7.0.2",
  "@types/node@24.19.2"
]

/** Rewrites the README's example for another engine. */
const onOnnxruntime = (example: string) =>
  `import { OnnxEngine } from "@rai/onnx-engine"\n${example.replace(" TfjsEngine,", "").replaceAll("TfjsEngine", "OnnxEngine")}`

/** The specifiers to compile: all that are published except the TensorFlow.js tensors, because TensorFlow.js's own declarations do not compile. */
const compiled = all()
  .flatMap(({ imports }) => imports)
  .filter((name) => name !== "@rai/core/tfjs")
const everything = compiled.map((name, i) => `export * as everything${i} from "${name}"\n`).join("")

const folder = mkdtempSync(join(tmpdir(), "rai-packages-"))
try {
  const packed = Packed.pack(folder)
  for (const { bytes, file, name } of packed) {
    Command.run(join(commands, "publint"), [file, "--strict"], folder)
    if (name !== "@rai/cli") {
      Command.run(join(commands, "attw"), [file, "--profile", "esm-only", "--no-emoji"], folder)
    }
    say(`✓ ${name}: ${(bytes / 1e6).toFixed(2)} MB; publint and attw have nothing to say`)
  }
  // Exported, as a library of another project would, so that its declarations are checked.
  const example = Project.example("README.md").replace("const program", "export const program")
  for (const version of ["22", "24"]) {
    const tools = join(folder, `node-${version}`)
    mkdirSync(tools)
    Command.run("npm", ["install", "--no-audit", "--no-fund", "--prefix", tools, `node@${version}`], tools)
    const node = join(tools, "node_modules", "node", "bin", "node")
    for (const manager of ["npm", "pnpm"] as const) {
      const project = join(folder, `${manager}-${version}`)
      Project.make(project, manager, node, packed, others)
      writeFileSync(join(project, "moons.ts"), example)
      writeFileSync(join(project, "onnx.ts"), onOnnxruntime(example))
      writeFileSync(join(project, "everything.ts"), everything)
      writeFileSync(join(project, "anew.ts"), Project.anew(project, node, compiled))
      Project.compile(project, node, ["moons.ts", "onnx.ts", "everything.ts", "anew.ts"])
      Command.run(node, ["everything.ts"], project)
      const [moons, onnx] = ["moons.ts", "onnx.ts"].map((file) =>
        Command.run(node, [file], project).trimEnd().split("\n").at(-1)
      )
      const help = Command.run(node, [join("node_modules", "@rai", "cli", "dist", "main.js"), "--version"], project)
      const { median, modules, quickest } = Cost.measure(project, node, "@rai/core", 9)
      const strange = modules.filter((url) => /tensorflow|onnxruntime|ml-matrix|\/Schema\.js/.test(url))
      if (strange.length > 0) throw new Error(`expected @rai/core alone, but ${strange.join(", ")} came`)
      say(
        `✓ ${manager}, Node ${version}: compiled; accuracy ${moons} and ${onnx}; rai ${help.trim()}; import ${quickest.toFixed(0)} ms at best, ${median.toFixed(0)} ms in the middle`
      )
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
