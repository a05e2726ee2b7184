/**
 * `node test/fuzz.ts 20000`: so many mutations of the networks beside this file, read; prints what came of them and the slowest, and ends with 1
 * where one crashed, took over two seconds or was not told clearly.
 */
import { readdirSync, readFileSync } from "node:fs"
import * as Fuzzed from "./Fuzzed.ts"

const folder = new URL("networks/", import.meta.url).pathname
const models = readdirSync(folder)
  .filter((file) => file.endsWith(".onnx"))
  .map((file) => new Uint8Array(readFileSync(`${folder}${file}`)))

const [count = "20000", first = "0"] = process.argv.slice(2)
const { counts, faults, mostBytes, slowest } = Fuzzed.run(models, Number(first), Number(count))
process.stdout.write(`${JSON.stringify({ counts, slowest, mostBytes, faults }, undefined, 1)}\n`)
process.exitCode = faults.length > 0 ? 1 : 0
