import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Circuit, Dataset, NdArray, Plan, ReferenceEngine } from "@rai/core"
import { Data, Engine, Model, type Pipeline, Plans, Score, Training } from "@rai/fp-ts"
import * as E from "fp-ts/lib/Either.js"
import { pipe } from "fp-ts/lib/function.js"
import * as RTE from "fp-ts/lib/ReaderTaskEither.js"

const folder = mkdtempSync(join(tmpdir(), "rai-fp-ts-"))
afterAll(() => rmSync(folder, { recursive: true }))

const run = <A>(pipeline: Pipeline.Pipeline<A>) => pipe(pipeline, Engine.using(ReferenceEngine.layer))()
const message = async <A>(pipeline: Pipeline.Pipeline<A>): Promise<string> =>
  pipe(
    await run(pipeline),
    E.match(
      (error) => error.message,
      () => "a right came"
    )
  )

describe("Model", () => {
  it("is written, verified, and answers as the free run does", async () => {
    const file = join(folder, "xor.onnx")
    const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })
    const came = await run(
      pipe(
        Data.read("xor"),
        RTE.bindTo("data"),
        RTE.bind("trained", ({ data }) => Training.fit(circuit, data, { plan: Plan.backpropagate({ steps: 20 }) })),
        RTE.bind("logits", ({ data, trained }) => Score.predict(trained, data.inputs)),
        RTE.bind("record", ({ data, trained }) => Model.write(trained, file, { samples: data.inputs })),
        RTE.bind("verified", () => Model.verify(file)),
        RTE.bind("answers", ({ data }) => Model.predict(file, data.inputs))
      )
    )
    if (E.isLeft(came)) throw came.left
    const { answers, logits, record, verified } = came.right
    assert.deepStrictEqual(readdirSync(folder).sort(), ["xor.onnx", "xor.parity.json"])
    assert.strictEqual(verified.sha256, record.sha256)
    const answered = Array.from(answers.outputs.logit!.data)
    assert.isBelow(Math.max(...answered.map((logit, i) => Math.abs(logit - logits.data[i]!))), 1e-4)
  })

  it("that is not there is a left", async () => {
    const file = join(folder, "none.onnx")
    assert.strictEqual(
      await message(Model.verify(file)),
      `${file}: expected a file to read, but it is not there; check the path`
    )
  })
})

describe("Data", () => {
  it("come from a text, a file, arrays, or another data set", async () => {
    const file = join(folder, "animals.csv")
    writeFileSync(file, "height,label\n1.5,cat\n2.5,dog\n3.5,dog\n1.0,cat\n")
    const arrays = { inputs: NdArray.make([2, 1], [0, 1]), targets: NdArray.make([2, 1], [0, 1]) }
    const came = await run(
      RTE.sequenceArray([
        Data.read("moons:n=12"),
        Data.read(file),
        Data.make({ ...arrays, task: "binary", inputNames: ["x"] }),
        pipe(
          Data.read(file),
          RTE.flatMap(Data.split({ share: 0.5 })),
          RTE.map(({ test }) => test)
        )
      ])
    )
    assert.deepStrictEqual(
      pipe(
        came,
        E.map((sets) => sets.map(Dataset.examples))
      ),
      E.right([12, 4, 2, 2])
    )
  })

  it("that do not fit are a left", async () => {
    const ragged = { inputs: NdArray.make([2, 1], [0, 1]), targets: NdArray.make([1, 1], [0]) }
    assert.strictEqual(
      await message(Data.make({ ...ragged, task: "binary", inputNames: ["x"] }, "mine")),
      "mine: expected targets of shape [2,1] for the task binary, but 1 numbers of shape [1,1] came; give one row an example"
    )
    assert.include(await message(Data.read("suns")), "data: expected one of moons-100, moons,")
  })
})

describe("Plans", () => {
  it("are read from a text", () => {
    assert.deepStrictEqual(
      pipe(
        Plans.parse("relax:60,backpropagate:120"),
        E.map(({ phases }) => phases.length)
      ),
      E.right(2)
    )
    assert.strictEqual(
      pipe(
        Plans.parse("relaxe:60"),
        E.match(
          (error) => error.message,
          () => ""
        )
      ),
      "expected a phase named relax, alternate or backpropagate in the plan, but «relaxe:60» came; write auto, or phases such as relax:250:rprop=0.1,backpropagate:400:rprop=0.001"
    )
  })
})
