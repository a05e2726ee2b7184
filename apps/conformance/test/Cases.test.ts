/**
 * The official ONNX test cases for every operator that is read, on every engine.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { expect, it } from "@effect/vitest"
import { Operators } from "@rai/export/reading"
import { Effect } from "effect"
import * as Cases from "../src/Cases.ts"
import * as Engines from "../src/Engines.ts"

/** Operators for which all of the suite's cases are in float64. */
const inDouble = ["Cast", "ReduceLogSumExp", "Einsum"]

for (const engine of Engines.names) {
  it.effect(
    `every case passes on ${engine}, but those of types that it does not have`,
    () =>
      Effect.gen(function* () {
        const outcomes = yield* Engines.run(engine, yield* Cases.inFile(Cases.packed))
        expect(outcomes.filter(({ result }) => result === "failed")).toEqual([])
        expect(outcomes.filter(({ result }) => result === "passed").length).toBeGreaterThan(400)
        const reasons = outcomes.flatMap(({ reason }) => (reason === undefined ? [] : [reason]))
        expect([...new Set(reasons)]).toEqual(engine === "reference" ? [] : ["the type DOUBLE"])
        const passed = new Set(outcomes.flatMap(({ operators, result }) => (result === "passed" ? operators : [])))
        // The suite has no cases of ai.onnx.ml's; these are held against scikit-learn in packages/export.
        const standard = [...Operators.table.keys()].filter((operator) => !operator.startsWith("ai.onnx.ml."))
        expect(standard.filter((operator) => !passed.has(operator))).toEqual(engine === "reference" ? [] : inDouble)
      }).pipe(Effect.provide(NodeServices.layer)),
    300_000
  )
}
