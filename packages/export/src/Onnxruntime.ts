/**
 * onnxruntime on the CPU: runs exported models, and proves their parity.
 */
import { dirname, resolve } from "node:path"
import type { Engine, NdArray } from "@rai/core"
import type { InferenceSession, Tensor } from "@rai/onnxruntime"
import * as CudaProvider from "@rai/onnxruntime/cuda"
import { Context, Effect, Record, Schema, type Scope } from "effect"
import * as Half from "./Half.ts"

const messages = {
  load: {
    what: "expected onnxruntime to load, but it does not on this machine",
    advice: "install the packages again, on a system that it is built for"
  },
  read: {
    what: "expected a model that onnxruntime can read, but it refused this one",
    advice: "export it again with `rai export`"
  },
  run: {
    what: "expected onnxruntime to run the model, but it failed on these inputs",
    advice: "compare their names, shapes and types with the model's"
  }
} as const

/** onnxruntime that does not load, a model that it refuses, or a run that it could not finish. */
export class OnnxruntimeFailed extends Schema.TaggedError<OnnxruntimeFailed>()("OnnxruntimeFailed", {
  file: Schema.String,
  doing: Schema.Literals(["load", "read", "run"]),
  /** What onnxruntime said; it may hold paths of this machine, so only its last part without any is in the message. */
  cause: Schema.Defect()
}) {
  override get message(): string {
    const { advice, what } = messages[this.doing]
    const reason = reasonOf(this.cause)
    return `${this.file}: ${what}${reason === undefined ? "" : ` (${reason})`}; ${advice}`
  }
}

/** A number that an input's type does not hold. */
class NumberUnfit extends RangeError {}

const longest = 300

/** What a message may repeat: this module's own words, or what onnxruntime says behind its last status, where it holds no path. */
const reasonOf = (cause: unknown): string | undefined => {
  if (!(cause instanceof Error)) return undefined
  if (cause instanceof NumberUnfit) return cause.message
  const [, ...said] = cause.message.split("Status Message:")
  const last = (said.at(-1) ?? "").replaceAll(/[\p{C}\s]+/gu, " ").trim()
  return last === "" || last.length > longest || /[\\/]/.test(last) ? undefined : last
}

/** A loaded model; its memory is released when the scope closes. */
export interface Session {
  readonly run: (inputs: Engine.Arrays) => Effect.Effect<Engine.Arrays, OnnxruntimeFailed>
}

/** Loads a model from its bytes. */
export type Open = (model: Uint8Array, file: string) => Effect.Effect<Session, OnnxruntimeFailed, Scope.Scope>

/** The service that loads models from their bytes; `file` names the model in errors, and weights in other files lie beside it. */
export interface Onnxruntime {
  readonly version: Effect.Effect<string, OnnxruntimeFailed>
  readonly open: Open
  /** Like `open`, on a GPU; fails where there is none. */
  readonly openOnCuda?: Open | undefined
}

const attempt = <A>(file: string, doing: keyof typeof messages, f: () => Promise<A>) =>
  Effect.tryPromise({ try: f, catch: (cause) => new OnnxruntimeFailed({ file, doing, cause }) })

/** Loads the library at the first use, never before, with its telemetry off. */
const load = (file: string) =>
  attempt(file, "load", async () => {
    process.env.ORT_DISABLE_TELEMETRY = "1"
    const ort = await import("@rai/onnxruntime")
    // Errors say what goes wrong; the runtime's own lines on stderr would repeat it, with paths.
    ort.env.logLevel = "fatal"
    return ort
  })

const isNumbers = ({ type }: Tensor): boolean => type !== "string"

/** Converts numbers to each type of a model's input. */
const types = {
  float64: (data: Numbers) => Float64Array.from(data),
  int64: (data: Numbers) => BigInt64Array.from(data, whole),
  uint64: (data: Numbers) => BigUint64Array.from(data, whole),
  int32: (data: Numbers) => Int32Array.from(data),
  uint32: (data: Numbers) => Uint32Array.from(data),
  int16: (data: Numbers) => Int16Array.from(data),
  uint16: (data: Numbers) => Uint16Array.from(data),
  int8: (data: Numbers) => Int8Array.from(data),
  uint8: (data: Numbers) => Uint8Array.from(data),
  bool: (data: Numbers) => Uint8Array.from(data, (x) => Number(x !== 0))
} as const

type Numbers = ArrayLike<number>

const whole = (x: number): bigint => {
  if (!Number.isInteger(x)) throw new NumberUnfit(`${x} is no whole number`)
  return BigInt(x)
}

const halves = ({ Halves }: typeof import("@rai/onnxruntime"), { data, shape }: NdArray.NdArray): Tensor => {
  const bits = Uint16Array.from(data, (x) => {
    if (Number.isFinite(x) && Half.rounded(x) === undefined) throw new NumberUnfit(`${x} is no float16`)
    return Half.bits(x)
  })
  return Halves.tensor(bits, shape)
}

const session = (runtime: typeof import("@rai/onnxruntime"), opened: InferenceSession, file: string): Session => {
  const { Tensor } = runtime
  const asked = new Map(opened.inputMetadata.map((of) => [of.name, of.isTensor ? of.type : "float32"]))
  const tensor = ({ data, shape }: NdArray.NdArray, name: string): Tensor => {
    const type = asked.get(name) ?? "float32"
    if (type === "float16") return halves(runtime, { data, shape })
    if (!Object.hasOwn(types, type)) {
      return new Tensor("float32", data instanceof Float32Array ? data : Float32Array.from(data), shape)
    }
    const own = types[type as keyof typeof types](data)
    for (let i = 0; i < own.length; i++) {
      // A number that the type cannot hold would silently become another.
      if (Number(own[i]) !== data[i] && type !== "float64") throw new NumberUnfit(`${data[i]} is no ${type}`)
    }
    return new Tensor(type as Tensor.Type, own as Tensor.DataType, shape)
  }
  // onnxruntime does not return sequences and maps to JavaScript.
  const arrays = opened.outputMetadata.filter(({ isTensor }) => isTensor).map(({ name }) => name)
  return {
    run: (inputs) =>
      Effect.map(
        attempt(file, "run", async () => (arrays.length === 0 ? {} : opened.run(Record.map(inputs, tensor), arrays))),
        // Strings, such as an imported model's classes, are not numbers, so they are left out.
        (outputs) => Record.map(Record.filter(outputs, isNumbers), array)
      )
  }
}

/** Converts a tensor of the runtime: 64-bit integers to 32 bits, all other numbers but float32 and booleans to float64. */
export const array = ({
  data,
  dims,
  type
}: {
  readonly data: Tensor["data"]
  readonly dims: ReadonlyArray<number>
  readonly type?: string
}): NdArray.NdArray => {
  if (type === "float16") {
    const { buffer, byteOffset, length } = data as Uint16Array
    return { shape: dims, data: Float64Array.from(new Uint16Array(buffer, byteOffset, length), Half.number) }
  }
  if (data instanceof Float32Array || data instanceof Uint8Array) return { shape: dims, data }
  const isWhole = data instanceof BigInt64Array || data instanceof BigUint64Array
  return {
    shape: dims,
    data: isWhole ? Int32Array.from<bigint>(data, Number) : Float64Array.from(data as Float64Array)
  }
}

const settings = (file: string, provider: "cpu" | "cuda"): InferenceSession.SessionOptions => ({
  logSeverityLevel: 4,
  executionProviders: [provider],
  extra: { session: { model_external_initializers_file_folder_path: dirname(resolve(file)) } }
})

const openOn =
  (provider: "cpu" | "cuda"): Open =>
  (model, file) =>
    Effect.flatMap(load(file), (ort) =>
      Effect.map(
        Effect.acquireRelease(
          attempt(file, "read", () => ort.InferenceSession.create(model, settings(file, provider))),
          (opened) => Effect.promise(() => opened.release())
        ),
        (opened) => session(ort, opened, file)
      )
    )

/** onnxruntime-node by default; provide another for a program that runs models elsewhere. */
export const Onnxruntime: Context.Reference<Onnxruntime> = Context.Reference<Onnxruntime>("@rai/export/Onnxruntime", {
  defaultValue: () => ({
    version: Effect.map(load("onnxruntime"), ({ env }) => env.versions.node ?? env.versions.common),
    open: openOn("cpu"),
    openOnCuda: (model, file) => {
      const missing = CudaProvider.missing()
      return missing === undefined
        ? openOn("cuda")(model, file)
        : Effect.fail(new OnnxruntimeFailed({ file, doing: "load", cause: CudaProvider.notInstalled(missing) }))
    }
  })
})

/** Runs a model once: arrays in, arrays out. */
export const run = (
  model: Uint8Array,
  inputs: Engine.Arrays,
  file = "model"
): Effect.Effect<Engine.Arrays, OnnxruntimeFailed> =>
  Effect.scoped(
    Effect.flatMap(
      Onnxruntime.use(({ open }) => open(model, file)),
      (opened) => opened.run(inputs)
    )
  )
