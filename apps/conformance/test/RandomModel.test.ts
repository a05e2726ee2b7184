/**
 * Random models over all blocks on onnxruntime, the same that `npm run judge` submits to other runtimes.
 */
import { expect, it } from "@effect/vitest"
import { Law } from "@rai/conformance"
import { Model, Onnxruntime } from "@rai/export"
import { Effect } from "effect"
import * as RandomModel from "../src/RandomModel.ts"
import * as Verdict from "../src/Verdict.ts"

it.effect(
  "300 of them answer as their free run in float64 does, within 1e-5, and every kind of block, set and task is among them",
  () =>
    Effect.gen(function* () {
      const models: Array<RandomModel.RandomModel> = []
      for (let seed = 0; seed < 300; seed++) {
        const model = yield* RandomModel.make(seed)
        const came = yield* Onnxruntime.run(model.bytes, { x: model.x })
        for (const [name, expected] of Object.entries(model.outputs)) {
          expect(Law.broken(came[name], expected, expected.shape, 1e-5), Verdict.describe(model)).toBeUndefined()
        }
        models.push(model)
      }
      const found = models.flatMap(({ trained }) => [...Verdict.kinds(trained.circuit)])
      expect(Verdict.all.filter((kind) => !found.includes(kind))).toEqual([])
      expect(new Set(models.map(({ options }) => options.opset))).toEqual(new Set(Model.opsets))
      const every = (of: (model: RandomModel.RandomModel) => unknown) =>
        new Set(models.map((model) => String(of(model))))
      expect(every(({ trained }) => trained.task)).toEqual(new Set(["binary", "classes", "regression"]))
      expect(every(({ options }) => options.weights)).toEqual(new Set(["undefined", "float16"]))
      expect(every(({ trained }) => trained.preprocessing?.unseen)).toEqual(new Set(["undefined", "error", "zeros"]))
      expect(every(({ x }) => x.data.some(Number.isNaN))).toEqual(new Set(["false", "true"]))
    }),
  120_000
)
