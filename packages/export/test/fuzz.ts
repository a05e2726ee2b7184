/**
 * `node --expose-gc test/fuzz.ts 20000`: reads that many mutations of the networks in this folder, and verifies as many of exported models and
 * their records, in about three minutes; `node test/fuzz.ts 1 4711 verify` repeats number 4711 of one kind. Prints the results, the slowest in
 * milliseconds and the peak memory in bytes above the start, and exits with 1 if one crashed, took over two seconds or gave no clear error.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Fuzzed from "./Fuzzed.ts"

const networks = new URL("networks/", import.meta.url).pathname
const models = readdirSync(networks)
  .filter((file) => file.endsWith(".onnx"))
  .map((file) => new Uint8Array(readFileSync(`${networks}${file}`)))

const [count = "20000", first = "0", only] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), "rai fuzz "))
const kinds = {
  read: () => Fuzzed.read(models, Number(first), Number(count)),
  verify: () => Fuzzed.verify(folder, Number(first), Number(count))
}
for (const [kind, run] of Object.entries(kinds)) {
  if (only !== undefined && only !== kind) continue
  const outcome = await run()
  process.stdout.write(`${JSON.stringify({ [kind]: outcome }, undefined, 1)}\n`)
  if (outcome.faults.length > 0) process.exitCode = 1
}
rmSync(folder, { recursive: true })
