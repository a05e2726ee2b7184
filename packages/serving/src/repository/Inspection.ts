/**
 * Checks on a model's file before it is served: it reads no file outside its folder, and it answers as the parity record beside it says, if there is
 * one; the record's samples run on the worker that is to serve it.
 */
import { External, Model, ModelFile, Onnxruntime, Parity, Verify } from "@rai/export"
import { Effect, FileSystem } from "effect"
import * as Worker from "../worker/ModelWorker.ts"
import { ModelLoadFailed, type ModelWorker } from "../worker/ModelWorker.ts"

// In our own words: the failures' messages name files of this machine, and are for the log.
const reasons: Readonly<Record<Verify.Failed["_tag"], string>> = {
  FileUnreadable: "its file cannot be read",
  NotAnOnnxModel: "its file is not an ONNX model",
  ModelInvalid: "its weights lie in a file that cannot be taken",
  RecordInvalid: "the parity record beside it cannot be read",
  ModelChanged: "its file is not the one that its parity record was written for",
  OnnxruntimeFailed: "it does not compute the samples of its parity record",
  ParityLost: "it does not answer as its parity record says"
}

/** Lets a worker stand in for onnxruntime in export's verification, so that it computes where the model is to be served. */
const judge = (worker: ModelWorker): Onnxruntime.Onnxruntime => ({
  version: Effect.succeed(worker.description.runtimeVersion),
  open: (_, file) =>
    Effect.succeed({
      run: Effect.fnUntraced(function* (arrays) {
        const types = new Map(worker.description.inputs.map(({ name, type }) => [name, type]))
        const inputs = Object.entries(arrays).map(([name, { data, shape }]) => {
          const whole = types.get(name) === "int64"
          return {
            name,
            type: whole ? "int64" : "float32",
            dims: shape,
            data: whole ? BigInt64Array.from(data, BigInt) : Float32Array.from(data)
          }
        })
        const names = worker.description.outputs.map(({ name }) => name)
        const { outputs } = yield* Worker.compute(worker, inputs, names).pipe(
          Effect.mapError((cause) => new Onnxruntime.OnnxruntimeFailed({ file, doing: "run", cause }))
        )
        return Object.fromEntries(outputs.map((output) => [output.name, Onnxruntime.array(output)]))
      })
    })
})

/** The names of inputs and outputs whose shape the model does not declare; the runtime describes them as it does scalars. */
const shapelessOf = ({ graph }: Effect.Success<ReturnType<typeof Model.decode>>): ReadonlySet<string> =>
  new Set(
    [...(graph?.input ?? []), ...(graph?.output ?? [])].flatMap(({ name, type }) =>
      type?.value.case === "tensorType" && type.value.value.shape === undefined ? [name] : []
    )
  )

const nameTaken = "its name is taken: /v2/models/stats are the statistics of all models; give it another"
const notAModel = "the file is not an ONNX model; export one again"

/**
 * Inspects a model before the runtime opens it: a file by its path, or bytes that came with a request and are stored nowhere. Returns what the
 * runtime is to open, the external weight files, each by its path from the model's folder, and which inputs and outputs have no declared shape.
 */
export const inspect = Effect.fnUntraced(function* (model: string, source: string | Uint8Array) {
  const refuse = (reason: string) => new ModelLoadFailed({ model, reason })
  if (model === "stats") return yield* refuse(nameTaken)
  const unreadable = () => refuse("its file cannot be read")
  const content = typeof source === "string" ? yield* Effect.mapError(ModelFile.read(source), unreadable) : source
  const decoded = yield* Effect.mapError(Model.decode(content, model), () => refuse(notAModel))
  const shapeless = shapelessOf(decoded)
  if (typeof source !== "string") {
    if (External.locations(decoded).length === 0) return { model: source, weights: [], shapeless }
    return yield* refuse("it came with the request and keeps its weights in another file; send it with its weights")
  }
  const inWords = Effect.mapError(({ came }: { readonly came: string }) => refuse(came))
  const weights = yield* inWords(External.files(decoded, source))
  // The runtime maps external data of inner graphs into memory, even though it is given the bytes.
  if (External.isWithin(decoded)) {
    return { model: yield* inWords(External.whole(decoded, source)), weights: [], shapeless }
  }
  return { model: source, weights, shapeless }
})

/** Makes the parity check of a model's file, which passes where no record is beside it. */
export const make = Effect.map(FileSystem.FileSystem, (fs) =>
  Effect.fnUntraced(function* (model: string, file: string, worker: ModelWorker) {
    const there = yield* Effect.orElseSucceed(fs.exists(Parity.fileOf(file)), () => false)
    if (!there) return
    yield* Verify.verify(file).pipe(
      Effect.provideService(Onnxruntime.Onnxruntime, judge(worker)),
      Effect.tapError(({ message }) => Effect.logWarning(`the model "${model}": ${message}`)),
      Effect.mapError(({ _tag }) => new ModelLoadFailed({ model, reason: reasons[_tag] }))
    )
  })
)
