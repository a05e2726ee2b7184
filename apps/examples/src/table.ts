/** A table with categories and missing values: split first, then preprocessed as learned from its training part; the trained circuit keeps how. */
import { runMain } from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Rai from "@rai/core"
import { Console, Effect, FileSystem, Layer, Record } from "effect"

// Heavy red things sink, all others float; some weights are missing.
const line = (i: number) => {
  const [weight, colour] = [1000 + 300 * Math.sin(i), ["red", "green", "blue"][i % 3]]
  return `${i % 20 === 7 ? "NA" : weight},${colour},${weight > 1000 && colour === "red" ? "sinks" : "floats"}`
}
const table = ["weight,colour,fate", ...Array.from({ length: 400 }, (_, i) => line(i))].join("\n")
const rules = { categorical: ["colour"], missing: "median", standardise: true } as const

const program = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  yield* files.writeFileString("things.csv", table)
  const raw = yield* Rai.Csv.frame("things.csv", rules)
  const parts = yield* Rai.Frame.divide(raw, { validation: 0.2, test: 0.2 })
  const preprocessing = yield* Rai.Preprocessing.fit(parts.train, rules)
  const data = yield* Effect.all(Record.map({ ...parts }, Rai.Frame.toDataset(preprocessing)))
  yield* Console.log(`inputs ${data.train.inputNames.join(", ")}`)

  const circuit = Rai.Circuit.perceptron([4, 16, 16, 1], { activation: "tanh" })
  const trained = yield* Rai.Training.fit(circuit, data.train, { validation: data.validation, seed: 0 })
  const { accuracy } = yield* Rai.Score.score(trained, data.test)
  yield* Console.log(`accuracy ${accuracy} on ${Rai.Dataset.examples(data.test)} things never seen`)

  yield* files.writeFileString("new.csv", "colour,weight\nred,1200\ngreen,1200\nred,700\n")
  const logits = yield* Rai.Score.predict(trained, yield* Rai.Source.inputs("new.csv", trained))
  const fates = Array.from(Rai.Classification.largest(logits), (found) => trained.classNames?.[found])
  yield* Console.log(`new things: ${fates.join(", ")}`)
})

program.pipe(Effect.provide(Layer.merge(Rai.TfjsEngine.layer, NodeServices.layer)), runMain)
