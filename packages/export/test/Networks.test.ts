/**
 * Networks that PyTorch, Keras 3, tf2onnx and scikit-learn wrote, beside onnxruntime's answers to them (`networks/*.py`).
 */
import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import {
  Circuit,
  CircuitSpec,
  Dataset,
  Engine,
  FreeRun,
  NdArray,
  Plan,
  Pseudorandom,
  TfjsEngine,
  Training
} from "@rai/core"
import { Effect } from "effect"
import { Onnx, Onnxruntime } from "../src/index.ts"

interface Answers {
  readonly example: ReadonlyArray<number>
  readonly x: ReadonlyArray<number>
  readonly y: ReadonlyArray<number>
  readonly outputs: ReadonlyArray<number>
}

const folder = new URL("networks/", import.meta.url).pathname
const networks: Readonly<Record<string, Answers>> = Object.assign(
  {},
  ...["answers", "keras", "scikit-learn"].map((table) => JSON.parse(readFileSync(`${folder}${table}.json`, "utf8")))
)

const furthest = (came: NdArray.NdArray, expected: ReadonlyArray<number> | NdArray.NdArray["data"]): number =>
  Array.from(came.data).reduce((worst, a, i) => Math.max(worst, Math.abs(a - expected[i]!)), 0)

const rows = ({ example, x }: Answers): NdArray.NdArray => {
  const width = NdArray.size(example)
  return NdArray.make([x.length / width, width], x)
}

const freeRun = Effect.fnUntraced(function* (circuit: Circuit.Circuit, parameters: Engine.Arrays, x: NdArray.NdArray) {
  const { output } = yield* Engine.run(yield* FreeRun.program(circuit), { ...parameters, x })
  return output!
})

/** Targets that nothing decides: what matters is that every parameter moves. */
const dataOf = ({ outputs }: Answers, x: NdArray.NdArray) => {
  const [examples, inputs] = x.shape as readonly [number, number]
  const width = NdArray.size(outputs)
  const targets = NdArray.make([examples, width], Pseudorandom.make(1).normals(examples * width))
  const inputNames = Array.from({ length: inputs }, (_, i) => `x${i}`)
  return Dataset.make({ inputs: x, targets, task: "regression", inputNames })
}

it("reads networks by the dozen", () => {
  expect(Object.keys(networks).length).toBeGreaterThanOrEqual(35)
})

it.effect("what of a forest is not read is told operator by operator, all at once", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(Onnx.read(`${folder}refused-forest.onnx`))
    expect(error.message.slice(folder.length)).toBe(
      "refused-forest.onnx: expected operators that are read, but these came: ai.onnx.ml.Binarizer (Binarizer); ai.onnx.ml.TreeEnsembleClassifier (TreeEnsembleClassifier); export the model without them, or run it with onnxruntime"
    )
  })
)

for (const [name, answers] of Object.entries(networks)) {
  it.effect(`${name}: the free run is what onnxruntime answers to the original`, () =>
    Effect.gen(function* () {
      const { circuit, example, parameters } = yield* Onnx.read(`${folder}${name}.onnx`)
      expect(example).toEqual(answers.example)
      const output = yield* freeRun(circuit, parameters, rows(answers))
      expect(output.shape).toEqual([7, NdArray.size(answers.outputs)])
      expect(furthest(output, answers.y)).toBeLessThan(1e-5)
      expect(Circuit.depth(circuit)).toBeGreaterThan(0)
    }).pipe(Effect.provide(TfjsEngine.layerWasm))
  )

  it.effect(`${name}: relaxed for 50 steps and written again, onnxruntime answers as the free run`, () =>
    Effect.gen(function* () {
      const { circuit, parameters: before } = yield* Onnx.read(`${folder}${name}.onnx`)
      const x = rows(answers)
      const settings = { steps: 50, optimizer: Plan.auto(circuit).phases[0]!.optimizer }
      // One map alone has nothing to cut.
      const plan = Circuit.depth(circuit) > 1 ? Plan.relax(settings) : Plan.backpropagate(settings)
      const trained = yield* Training.fit(circuit, yield* dataOf(answers, x), { plan, seed: 0 })
      for (const [parameter, { role }] of Object.entries(Circuit.parameters(circuit))) {
        const moved = furthest(trained.parameters[parameter]!, before[parameter]!.data)
        if (role === "statistic") expect(moved).toBe(0)
        else expect(moved, parameter).toBeGreaterThan(0)
      }
      const output = yield* freeRun(circuit, trained.parameters, x)
      const { value } = yield* Onnxruntime.run(yield* Onnx.make(trained), { x })
      expect(furthest(value!, output.data)).toBeLessThan(1e-5)
    }).pipe(Effect.provide(TfjsEngine.layerWasm))
  )

  it.effect(`${name}: as JSON and back it is the same program`, () =>
    Effect.gen(function* () {
      const { circuit, parameters } = yield* Onnx.read(`${folder}${name}.onnx`)
      const again = yield* CircuitSpec.fromJson(JSON.parse(JSON.stringify(CircuitSpec.toJson(circuit))))
      const x = rows(answers)
      expect(yield* freeRun(again, parameters, x)).toEqual(yield* freeRun(circuit, parameters, x))
      expect(Circuit.sites(again).map(({ path, role }) => [path, role])).toEqual(
        Circuit.sites(circuit).map(({ path, role }) => [path, role])
      )
    }).pipe(Effect.provide(TfjsEngine.layerWasm))
  )
}
