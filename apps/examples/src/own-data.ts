/**
 * A data source of your own is a stream of data sets: it need not fit into memory, and it reports its own errors.
 */
import { runMain } from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Rai from "@rai/core"
import { Console, Effect, FileSystem, Layer, Schema, Stream } from "effect"

const Reading = Schema.fromJsonString(Schema.Struct({ x: Schema.Finite, y: Schema.Finite, inside: Schema.Boolean }))

const dataset = (readings: ReadonlyArray<typeof Reading.Type>) => {
  const points = readings.flatMap(({ x, y }) => [x, y])
  const [inputs, labels] = [Rai.NdArray.make([points.length / 2, 2], points), readings.map(({ inside }) => +inside)]
  return Rai.Dataset.labelled({ inputs, labels, inputNames: ["x", "y"], classNames: ["outside", "inside"] })
}

/** Reads a file of lines such as `{"x":0.1,"y":-0.7,"inside":true}` as data sets of 500 examples. */
const read = (source: string) =>
  Stream.unwrap(FileSystem.FileSystem.useSync((fs) => fs.stream(source))).pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.mapEffect((text, i) =>
      Effect.mapError(Schema.decodeUnknownEffect(Reading)(text), () => {
        const [expected, came, advice] = ["x, y and inside", `${text} came`, "mend the line or remove it"]
        return new Rai.DataInvalid({ source, line: i + 1, expected, came, advice })
      })
    ),
    Stream.grouped(500),
    Stream.mapEffect(dataset)
  )

const program = Effect.gen(function* () {
  const { writeFileString } = yield* FileSystem.FileSystem
  const random = Rai.Pseudorandom.make(1)
  const [xs, ys] = [random.uniforms(3000, -1, 1), random.uniforms(3000, -1, 1)]
  const lines = Array.from(xs, (x, i) => JSON.stringify({ x, y: ys[i], inside: Math.hypot(x, ys[i]!) < 0.7 }))
  yield* writeFileString("readings.jsonl", lines.join("\n"))

  // Training uses five parts, one in memory at a time; measurements use the first, and the sixth is held out.
  const { parts, sample } = yield* Rai.Parts.make(Stream.take(read("readings.jsonl"), 5), "readings.jsonl")
  const [fresh] = yield* Stream.runCollect(Stream.drop(read("readings.jsonl"), 5))
  const circuit = Rai.Circuit.perceptron([2, 16, 16, 1], { activation: "relu" })
  const plan = yield* Rai.PlanSpec.parse("backpropagate:20:batch=50:adam=0.01")
  const trained = yield* Rai.Training.fit(circuit, sample, { parts, plan, seed: 0 })
  yield* Console.log(`accuracy ${(yield* Rai.Score.score(trained, fresh!)).accuracy} on 500 lines never seen`)

  yield* writeFileString("damaged.jsonl", [lines[0], '{"x":0.5,"y":"left"}'].join("\n"))
  yield* Console.log((yield* Effect.flip(Stream.runDrain(read("damaged.jsonl")))).message)
})

program.pipe(Effect.provide(Layer.merge(Rai.TfjsEngine.layer, NodeServices.layer)), runMain)
