/**
 * `rai predict`: predictions of an exported model as CSV.
 */
import { Archive, Metrics, type NdArray, Source } from "@rai/core"
import { Predict } from "@rai/export"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Described from "./Described.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as Network from "./Network.ts"
import * as OutFile from "./OutFile.ts"
import * as PathText from "./PathText.ts"
import * as Report from "./Report.ts"

/** The command. */
export const command = Command.make(
  "predict",
  {
    model: PathText.argument("model.onnx|model.json").pipe(
      Argument.withDescription("an exported model, or one from elsewhere; of TensorFlow.js a layers-model")
    ),
    input: PathText.flag("input").pipe(
      Flag.withDescription(
        "a .csv file with a column for each input, or an .npy or IDX file; plain or .gz; - reads CSV from stdin"
      ),
      Flag.map((file) => (file === "-" ? "/dev/stdin" : file))
    ),
    engine: Flag.Literals("engine", [...EngineChoice.names, "tfjs"]).pipe(
      Described.withDefault(
        "what computes: onnxruntime the model itself (onnx, which auto takes), or another engine the model's program; tfjs is tfjs-native where that is set up, else tfjs-wasm",
        "onnx"
      )
    ),
    out: Flag.File("out").pipe(Flag.withDescription(Described.text("the .csv file to write", "stdout")), Flag.optional)
  },
  Effect.fn("predict")(function* ({ engine, input, model, out }) {
    if (Option.isSome(out)) {
      yield* OutFile.apart(out.value, { model, input })
      yield* OutFile.table("out", out.value)
    }
    const origin = yield* Predict.origin(model)
    const rows = yield* Source.inputs(input, {
      names: origin?.inputs.length === 0 ? undefined : origin?.inputs,
      preprocessing: origin?.preprocessing,
      raw: origin?.columns !== undefined
    })
    const predicted =
      engine === "onnx" || engine === "auto"
        ? Predict.predict(model, rows)
        : Effect.provide(
            Predict.onEngine(model, rows),
            engine === "tfjs" ? EngineChoice.usual : EngineChoice.table[engine]
          )
    const found = yield* predicted
    // What the outputs of an exported model say is known, and one of them says it all.
    if (origin === undefined) yield* Network.leavingOut(model, Object.keys(found.outputs), found.others)
    const text = csv(found)
    if (Option.isNone(out)) return yield* Report.line(text.trimEnd())
    yield* Archive.replace(out.value, new TextEncoder().encode(text))
  })
)

const width = ({ data, shape }: NdArray.NdArray): number => data.length / shape[0]!

const row = (array: NdArray.NdArray, i: number): ReadonlyArray<number> =>
  Array.from(array.data.subarray(i * width(array), (i + 1) * width(array)))

const quoted = (name: string): string => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)

const csv = ({ classNames, outputs, task }: Predict.Prediction): string => {
  const probability = outputs.probability
  const [first] = Object.values(outputs)
  const every = (lineOf: (i: number) => ReadonlyArray<string | number>) =>
    Array.from({ length: first!.shape[0]! }, (_, i) => lineOf(i).join(","))
  const table = (header: ReadonlyArray<string>, lines: ReadonlyArray<string>) =>
    `${[header.join(","), ...lines].join("\n")}\n`
  if (probability === undefined) {
    // An imported network that was exported again has its value twice: as `value` and under its original name.
    const names = task === "regression" && outputs.value !== undefined ? ["value"] : Object.keys(outputs)
    const columns = (name: string) =>
      Array.from({ length: width(outputs[name]!) }, (_, k) =>
        quoted(width(outputs[name]!) === 1 ? name : `${name} ${k}`)
      )
    return table(
      names.flatMap(columns),
      every((i) => names.flatMap((name) => row(outputs[name]!, i)))
    )
  }
  const className = (k: number) => classNames?.[k] ?? String(k)
  const nameOf = (k: number) => quoted(className(k))
  if (task === "binary" || probability.shape[1] === 1) {
    // onnxruntime's sigmoid returns 0 for every logit below about −17, which would lose their order.
    const isOurs = task === "binary" && outputs.logit !== undefined
    const shares = isOurs ? Metrics.probabilities(outputs.logit!) : probability
    return table(
      ["class", "probability"],
      every((i) => {
        const p = row(shares, i).at(-1)!
        return [nameOf(p > 0.5 ? 1 : 0), p]
      })
    )
  }
  const names = Array.from({ length: probability.shape[1]! }, (_, k) => quoted(`probability ${className(k)}`))
  return table(
    ["class", ...names],
    every((i) => {
      const shares = row(probability, i)
      return [nameOf(shares.indexOf(Math.max(...shares))), ...shares]
    })
  )
}
