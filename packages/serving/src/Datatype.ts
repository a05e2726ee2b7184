/**
 * The protocol's datatypes, one row each: the runtime's name for it, the array that holds it, and how one JSON value becomes an element.
 */

/** A tensor's elements, row-major: FP16 as its bits, BOOL as 0 and 1, BYTES as text, which is what onnxruntime's string tensors hold. */
export type TensorData =
  | Array<string>
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array

/** A datatype in onnxruntime, in memory and in JSON. */
export interface Row {
  readonly runtime: string
  /** Bytes per element; 0 where elements differ in size. */
  readonly bytes: number
  readonly allocate: (length: number) => TensorData
  readonly expects: string
  /** The element that a JSON value stands for, or undefined where it is not one. */
  readonly element: (value: unknown) => number | bigint | string | undefined
}

const whole = (minimum: number, maximum: number) => ({
  expects: `a whole number from ${minimum} to ${maximum}`,
  element: (value: unknown) =>
    typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum ? value : undefined
})

// Beyond 2^53 a JSON number arrives as a bigint (see JsonData) or, from cautious writers, as a string.
const wholeBig = (minimum: bigint, maximum: bigint) => ({
  expects: `a whole number from ${minimum} to ${maximum}`,
  element: (value: unknown) => {
    const exact = Number.isSafeInteger(value) || (typeof value === "string" && /^-?\d{1,20}$/.test(value))
    const big = typeof value === "bigint" ? value : exact ? BigInt(value as number | string) : undefined
    return big !== undefined && big >= minimum && big <= maximum ? big : undefined
  }
})

// JSON has no NaN and no infinities: as in protobuf's JSON mapping, they are the strings "NaN", "Infinity" and "-Infinity".
const nonFinite = new Map<unknown, number>([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY]
])

const floating = (maximum: string, round: (value: number) => number) => ({
  expects: `a number up to ±${maximum}, "NaN", "Infinity" or "-Infinity"`,
  element: (value: unknown) => {
    const number = typeof value === "bigint" ? Number(value) : value
    if (typeof number !== "number") return nonFinite.get(number)
    return Number.isFinite(round(number)) ? number : undefined
  }
})

const boolean = {
  expects: "true or false",
  element: (value: unknown) => (value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : undefined)
}

/** Replaces NUL inside the runtime, because onnxruntime-node ends a text at its first NUL; a noncharacter, which no request may contain. */
export const nul = "\uFFFF"

/** Whether a text comes back from the runtime unchanged; a lone surrogate, which JSON can express, has no UTF-8 form. */
export const isText = (value: unknown): value is string =>
  typeof value === "string" && !value.includes(nul) && value.isWellFormed()

const text = {
  expects: "a text without U+FFFF",
  element: (value: unknown) => (isText(value) ? value : undefined)
}

// FP16 has no JSON form in the protocol: it travels as binary tensor data or raw contents.
const halves = { expects: "sent as binary tensor data", element: () => undefined }

const rows = {
  BOOL: { runtime: "bool", bytes: 1, allocate: (n: number) => new Uint8Array(n), ...boolean },
  UINT8: { runtime: "uint8", bytes: 1, allocate: (n: number) => new Uint8Array(n), ...whole(0, 255) },
  UINT16: { runtime: "uint16", bytes: 2, allocate: (n: number) => new Uint16Array(n), ...whole(0, 65_535) },
  UINT32: { runtime: "uint32", bytes: 4, allocate: (n: number) => new Uint32Array(n), ...whole(0, 4_294_967_295) },
  UINT64: {
    runtime: "uint64",
    bytes: 8,
    allocate: (n: number) => new BigUint64Array(n),
    ...wholeBig(0n, 2n ** 64n - 1n)
  },
  INT8: { runtime: "int8", bytes: 1, allocate: (n: number) => new Int8Array(n), ...whole(-128, 127) },
  INT16: { runtime: "int16", bytes: 2, allocate: (n: number) => new Int16Array(n), ...whole(-32_768, 32_767) },
  INT32: {
    runtime: "int32",
    bytes: 4,
    allocate: (n: number) => new Int32Array(n),
    ...whole(-2_147_483_648, 2_147_483_647)
  },
  INT64: {
    runtime: "int64",
    bytes: 8,
    allocate: (n: number) => new BigInt64Array(n),
    ...wholeBig(-(2n ** 63n), 2n ** 63n - 1n)
  },
  FP16: { runtime: "float16", bytes: 2, allocate: (n: number) => new Uint16Array(n), ...halves },
  FP32: {
    runtime: "float32",
    bytes: 4,
    allocate: (n: number) => new Float32Array(n),
    ...floating("3.4028234e38", Math.fround)
  },
  FP64: {
    runtime: "float64",
    bytes: 8,
    allocate: (n: number) => new Float64Array(n),
    ...floating("1.7976931e308", (x) => x)
  },
  BYTES: { runtime: "string", bytes: 0, allocate: (n: number) => new Array<string>(n).fill(""), ...text }
} satisfies Record<string, Row>

/** A datatype that this server reads and writes; FP16 has no JSON form. */
export type Datatype = keyof typeof rows

/** The row of a datatype. */
export const row = (datatype: Datatype): Row => rows[datatype]

/** The names of the datatypes, in the protocol's order. */
export const names = Object.keys(rows) as ReadonlyArray<Datatype>

/** Whether a text names a datatype that this server reads and writes. */
export const isDatatype = (text: string): text is Datatype => Object.hasOwn(rows, text)

const byRuntime = new Map(names.map((name): [string, string] => [rows[name].runtime, name]))

/** The protocol's name for a runtime type: `float32` → `FP32`; a type that the protocol lacks keeps its name, in capitals. */
export const fromRuntime = (type: string): string => byRuntime.get(type) ?? type.toUpperCase()
