/**
 * The named kinds of blocks: what a circuit in a file is made of.
 */
import { activations } from "./Activation.ts"
import { batchNorm } from "./BatchNorm.ts"
import type { Block } from "./Block.ts"
import { columns } from "./Columns.ts"
import * as Convolution from "./Convolution.ts"
import { dropout } from "./Dropout.ts"
import { embedding } from "./Embedding.ts"
import { flatten, unflatten } from "./Flattening.ts"
import { layerNorm } from "./LayerNorm.ts"
import * as Linear from "./Linear.ts"
import * as Pooling from "./Pooling.ts"

/** Settings by name; all are whole numbers except a rate. */
export type Settings = Readonly<Record<string, number>>

/** A kind of block: how to make it, and an example of valid settings. */
export interface BlockKind {
  readonly make: (settings: Settings) => Block
  readonly example: Settings
  /** Settings that may be left out; those missing from the example too are flags, 0 or 1. */
  readonly optional: ReadonlyArray<string>
}

const kind = <Given>(
  make: (settings: Given) => Block,
  example: Given & object,
  ...optional: ReadonlyArray<string>
) => ({
  make: (settings: Settings) => make(settings as unknown as Given),
  example: example as unknown as Settings,
  optional
})

const plain = (block: Block): BlockKind => ({ make: () => block, example: {}, optional: [] })

const convolution = { channels: 1, filters: 6, kernel: 3, stride: 1, padding: 1 }

/** A map whose `bias` is 0 or 1 in its settings, since these hold numbers only. */
const map =
  (make: (settings: Settings, bias: boolean) => Block) =>
  (settings: Settings): Block =>
    make(settings, settings.bias !== 0)

/** Every named kind. */
export const table: Readonly<Record<string, BlockKind>> = Object.assign(Object.create(null), {
  linear: kind(
    map(({ inputs, outputs }, bias) => Linear.make(inputs!, outputs!, { bias })),
    { inputs: 2, outputs: 8 },
    "bias"
  ),
  conv1d: kind(
    map((settings, bias) => Convolution.conv1d({ ...(settings as unknown as Convolution.Settings), bias })),
    convolution,
    "stride",
    "padding",
    "bias"
  ),
  conv2d: kind(
    map((settings, bias) => Convolution.conv2d({ ...(settings as unknown as Convolution.Settings), bias })),
    convolution,
    "stride",
    "padding",
    "bias"
  ),
  "max-pool1d": kind(Pooling.maxPool1d, { kernel: 2, stride: 2 }, "stride"),
  "max-pool2d": kind(Pooling.maxPool2d, { kernel: 2, stride: 2 }, "stride"),
  "average-pool1d": kind(Pooling.averagePool1d, { kernel: 2, stride: 2 }, "stride"),
  "average-pool2d": kind(Pooling.averagePool2d, { kernel: 2, stride: 2 }, "stride"),
  "global-max-pool": plain(Pooling.globalMaxPool),
  "global-average-pool": plain(Pooling.globalAveragePool),
  unflatten: kind(
    ({ channels, height, length, width }: Settings) =>
      length === undefined
        ? unflatten({ channels: channels!, height: height!, width: width! })
        : unflatten({ channels: channels!, length }),
    { channels: 1, height: 8, width: 8 } as Settings
  ),
  flatten: plain(flatten),
  "layer-norm": kind(({ units }: { units: number }) => layerNorm(units), { units: 16 }),
  "batch-norm": kind(({ units }: { units: number }) => batchNorm(units), { units: 16 }),
  dropout: kind(({ rate }: { rate: number }) => dropout(rate), { rate: 0.5 }),
  embedding: kind(embedding, { inputs: 1, categories: 10, units: 4 }),
  columns: kind(columns, { inputs: 3, first: 0, count: 2 }),
  ...Object.fromEntries(Object.entries(activations).map(([name, block]) => [name, plain(block)]))
} satisfies Record<string, BlockKind>)

/** Settings that may be 0. */
const fromZero = new Set(["padding", "first"])

/** What is wrong with the settings of a kind: what was expected and what came; undefined if they are valid. */
export const wrong = (
  { example, optional }: BlockKind,
  settings: Settings
): { readonly expected: string; readonly came: string } | undefined => {
  const isLength = settings.length !== undefined && "height" in example
  const names = isLength ? ["channels", "length"] : Object.keys(example)
  const flags = optional.filter((name) => !names.includes(name) && settings[name] !== undefined)
  const fits = (name: string) => {
    const value = settings[name]
    if (value === undefined) return optional.includes(name)
    if (flags.includes(name)) return value === 0 || value === 1
    if (name === "rate") return value >= 0 && value < 1
    return Number.isInteger(value) && value >= (fromZero.has(name) ? 0 : 1)
  }
  // `inputs` is written with every block that knows its input width.
  const unknown = Object.keys(settings).filter((name) => name !== "inputs" && ![...names, ...flags].includes(name))
  if ([...names, ...flags].every(fits) && unknown.length === 0) return undefined
  const also = names.filter((name) => fromZero.has(name)).map((name) => ` (${name} from 0)`)
  const either = flags.map((name) => `, ${name} 0 or 1`)
  const expected =
    names.length === 0
      ? "no settings"
      : "rate" in example
        ? "a rate from 0 to below 1"
        : `whole numbers of ${names.join(", ")} from 1${also.join("")}${either.join("")}`
  const came = [...names, ...flags, ...unknown].map((name) => `${name} ${settings[name] ?? "absent"}`)
  return { expected, came: came.join(", ") }
}
