/**
 * `node src/pack.ts FOLDER`: packs the small ones of the supported cases into the one file that the tests run.
 */
import { gzipSync } from "node:zlib"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { type OperatorCase, Operators } from "@rai/export/reading"
import { Effect, FileSystem } from "effect"
import { Argument, Command } from "effect/cli"
import * as Cases from "./Cases.ts"
import * as Engines from "./Engines.ts"

/** Size limit of a case in bytes; larger ones test little that a small one of the same operator does not. */
const largest = 6000

const sizeOf = ({ inputs, model, outputs }: OperatorCase.OperatorCase): number =>
  [model, ...inputs, ...outputs].reduce((total, { length }) => total + length, 0)

const pack = Command.make(
  "pack",
  { folder: Argument.Directory("FOLDER") },
  Effect.fn("pack")(function* ({ folder }) {
    const all = yield* Cases.inFolder(folder)
    const outcomes = yield* Engines.run("reference", all)
    const read = all.flatMap((one, i) =>
      outcomes[i]!.result === "not supported" ? [] : [{ one, outcome: outcomes[i]! }]
    )
    const small = read.filter(({ one }) => sizeOf(one) <= largest && !one.name.endsWith("_expanded"))
    // For an operator without a small case, take the smallest that uses it, and the smallest that runs in float32.
    const shown = new Set(small.flatMap(({ outcome }) => outcome.operators))
    const inFloat32 = new Set(
      (yield* Engines.run("tfjs-wasm", all)).flatMap(({ name, result }) => (result === "not supported" ? [] : [name]))
    )
    const others = [...Operators.table.keys()].flatMap((operator) => {
      const own = read
        .filter(({ outcome }) => !shown.has(operator) && outcome.operators.includes(operator))
        .toSorted((a, b) => sizeOf(a.one) - sizeOf(b.one))
      const first = own.find(({ one }) => inFloat32.has(one.name))
      return [...own.slice(0, 1), ...(first === undefined ? [] : [first])]
    })
    const lines = [...new Set([...small, ...others])].map(({ one }) => {
      const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")
      const { inputs, model, name, outputs } = one
      return JSON.stringify({ name, model: text(model), inputs: inputs.map(text), outputs: outputs.map(text) })
    })
    const fs = yield* FileSystem.FileSystem
    yield* fs.writeFile(Cases.packed, gzipSync(`${lines.join("\n")}\n`, { level: 9 }))
  })
)

Command.run(pack, { version: "0.1.0" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
