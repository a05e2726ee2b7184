import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as Rai from "@rai/core"
import { Effect, FileSystem } from "effect"

layer(NodeServices.layer)("TrainedStore", (it) => {
  it.effect("keeps what the data were preprocessed by, so that a raw file is answered as before", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const path = `${folder}/a.csv`
      yield* fs.writeFileString(path, "x,colour,y\n1,red,0\n,blue,1\n4,red,1\n")
      const rules = { categorical: ["colour"], missing: "mean", standardise: true, unseen: "zeros" } as const
      const data = yield* Rai.Csv.read(path, rules)
      const circuit = Rai.Circuit.perceptron([3, 2, 1], { activation: "tanh" })
      const trained = yield* Rai.Training.fit(circuit, data, { plan: Rai.Plan.backpropagate({ steps: 2 }), seed: 0 })
      assert.strictEqual(trained.preprocessing, data.preprocessing)
      // A folder that there was not.
      yield* Rai.TrainedStore.save(`${folder}/runs/1`, trained)
      const loaded = yield* Rai.TrainedStore.load(`${folder}/runs/1`)
      assert.deepStrictEqual(loaded.preprocessing, trained.preprocessing)
      const inputs = yield* Rai.Source.inputs(path, loaded)
      assert.deepStrictEqual(inputs, data.inputs)
      yield* fs.writeFileString(path, "colour,x\ngreen,\n")
      assert.deepStrictEqual([...(yield* Rai.Source.inputs(path, loaded)).data], [0, 0, 0])
    }).pipe(Effect.scoped, Effect.provide(Rai.ReferenceEngine.layer))
  )

  it.effect("refuses a circuit that it could not load again, and writes nothing", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const data = yield* Rai.Moons.make({ examples: 10 })
      const swish = Rai.Circuit.stage("swish", (z) => z.mul(z.sigmoid()))
      const circuit = Rai.Circuit.sequence(Rai.Circuit.linear(2, 3), swish, Rai.Circuit.linear(3, 1))
      const trained = yield* Rai.Training.fit(circuit, data, { plan: Rai.Plan.backpropagate({ steps: 1 }), seed: 0 })
      const refused = yield* Effect.flip(Rai.TrainedStore.save(`${folder}/run`, trained))
      assert.match(refused.message, /but «swish» came in block 1; build circuits with stages of your own in code$/)
      assert.isFalse(yield* fs.exists(`${folder}/run`))
    }).pipe(Effect.scoped, Effect.provide(Rai.ReferenceEngine.layer))
  )
})
