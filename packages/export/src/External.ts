/**
 * Weights in a file beside the model, as ONNX allows for models that are too large for one file, each aligned for memory mapping.
 */
import { existsSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { create } from "@bufbuild/protobuf"
import { Pieces, Sha256 } from "@rai/core"
import { Effect } from "effect"
import * as Model from "./Model.ts"
import * as ModelFile from "./ModelFile.ts"
import {
  type GraphProto,
  GraphProtoSchema,
  TensorProto_DataLocation as Location,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema
} from "./onnx_pb.ts"
import * as Beside from "./read/External.ts"

/** A graph whose larger tensors are stored apart from it. */
export interface Apart {
  /** Returns the graph that refers to each of these tensors in the file at `location`, a path from the model's folder. */
  readonly graph: (location: string) => GraphProto
  /** Total size of these tensors in bytes, without the gaps between them. */
  readonly size: number
  /** The file's content piece by piece, without copying. */
  readonly content: () => Iterable<Uint8Array>
  /** SHA-256 of the file's content. */
  readonly sha256: () => string
}

/**
 * The file that data goes into: `m.onnx.data`, or one named by its hash while that file holds other data, which the earlier model needs until it is
 * replaced.
 */
export const fileFor = Effect.fnUntraced(function* (model: string, sha256: string): Effect.fn.Return<string> {
  const file = `${model}.data`
  const isFree = !existsSync(file) || (yield* Effect.orElseSucceed(ModelFile.sha256Of(file), () => "")) === sha256
  return isFree ? file : `${model}.${sha256.slice(0, 16)}.data`
})

/** Data files that an earlier model at this path refers to, as far as their names are those that `fileFor` gives. */
export const filesOf = (model: string): Effect.Effect<ReadonlyArray<string>> =>
  ModelFile.read(model).pipe(
    Effect.flatMap((bytes) => Model.decode(bytes, model)),
    Effect.map((decoded) =>
      Beside.locations(decoded)
        .filter(
          (name) =>
            name.startsWith(`${basename(model)}.`) &&
            /^(\.[\da-f]{16})?\.data$/.test(name.slice(basename(model).length))
        )
        .map((name) => join(dirname(model), name))
    ),
    Effect.orElseSucceed(() => [])
  )

/** Smallest tensor, in bytes, that goes into the file; the onnx package draws the same line. */
const least = 1024

/** Alignment of a tensor in the file: to a page, and for a large one to where Windows can begin to map too. */
const boundary = (size: number): number => (size < 2 ** 20 ? 4096 : 65_536)

const zeros = new Uint8Array(65_536)

/** Splits a graph into what goes into the model and what goes beside it. */
export const apart = (graph: GraphProto): Apart => {
  const places = new Map<TensorProto, number>()
  let [end, size] = [0, 0]
  for (const tensor of graph.initializer) {
    const { length } = tensor.rawData
    if (length < least) continue
    const offset = Math.ceil(end / boundary(length)) * boundary(length)
    places.set(tensor, offset)
    end = offset + length
    size += length
  }
  function* content(): Generator<Uint8Array> {
    let at = 0
    for (const [{ rawData }, offset] of places) {
      if (offset > at) yield zeros.subarray(0, offset - at)
      yield* Pieces.of(rawData)
      at = offset + rawData.length
    }
  }
  return {
    graph: (location) =>
      create(GraphProtoSchema, {
        ...graph,
        initializer: graph.initializer.map((tensor) => {
          const offset = places.get(tensor)
          return offset === undefined ? tensor : elsewhere(tensor, location, offset)
        })
      }),
    size,
    content,
    sha256: () => Sha256.hex(...content())
  }
}

const elsewhere = ({ dataType, dims, name, rawData }: TensorProto, location: string, offset: number): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dims,
    dataType,
    dataLocation: Location.EXTERNAL,
    externalData: Object.entries({ location, offset, length: rawData.length }).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value: String(value) })
    )
  })
