/**
 * `node exporting.ts FILE.onnx`: exports one circuit after another to the same file, with external weights, until it is stopped.
 */
import { ReferenceEngine } from "@rai/core"
import { Effect } from "effect"
import * as Onnx from "../src/Onnx.ts"
import * as Trained from "./Trained.ts"

const circuits = [0, 1, 2].map((seed) => Trained.make([2, 16, 16, 1], { seed }))

const program = Effect.gen(function* () {
  for (let round = 0; ; round++) {
    yield* Onnx.write(circuits[round % 3]!, process.argv[2]!, { externalData: true })
    process.stdout.write("written\n")
  }
})

await Effect.runPromise(Effect.provide(program, ReferenceEngine.layer))
