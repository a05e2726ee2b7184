/**
 * WebAssembly modules as bytes: functions without results over an imported memory, on vectors of four floats.
 */

/** Instructions in binary form. */
export type Code = ReadonlyArray<number>

/** A function: its number of i32 parameters, its number of v128 locals, which follow these and one i32 local, and its body. */
export interface Function {
  readonly parameters: number
  readonly vectors: number
  readonly body: Code
}

/** LEB128 of an unsigned integer. */
const natural = (n: number): Code => (n < 128 ? [n] : [(n % 128) | 128, ...natural(Math.floor(n / 128))])

/** LEB128 of a signed integer. */
const whole = (n: number): Code => (n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, ...whole(n >> 7)])

const list = (items: ReadonlyArray<Code>): Code => [...natural(items.length), ...items.flat()]

const sized = (code: Code): Code => [...natural(code.length), ...code]

const name = (text: string): Code => sized([...new TextEncoder().encode(text)])

const section = (id: number, items: ReadonlyArray<Code>): Code => [id, ...sized(list(items))]

const i32 = 0x7f
const v128 = 0x7b

/** Maximum number of 64 KiB pages of a memory: 4 GiB. */
export const mostPages = 65536

/** Encodes a module that exports the functions under their indices. */
export const module = (functions: ReadonlyArray<Function>): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(
      1,
      functions.map(({ parameters }) => [0x60, ...list(Array<Code>(parameters).fill([i32])), 0x00])
    ),
    ...section(2, [[...name("rai"), ...name("memory"), 0x02, 0x03, ...natural(1), ...natural(mostPages)]]),
    ...section(
      3,
      functions.map((_, i) => natural(i))
    ),
    ...section(
      7,
      functions.map((_, i) => [...name(String(i)), 0x00, ...natural(i)])
    ),
    ...section(
      10,
      functions.map(({ body, vectors }) =>
        sized([
          ...list([
            [...natural(1), i32],
            [...natural(vectors), v128]
          ]),
          ...body,
          0x0b
        ])
      )
    )
  ])

const simd = (operation: number): Code => [0xfd, ...natural(operation)]

/** Reads a local; sets a local. */
export const get = (local: number): Code => [0x20, ...natural(local)]
export const set = (local: number): Code => [0x21, ...natural(local)]

/** An integer constant; the sum of two integers; whether the first is below the second. */
export const integer = (n: number): Code => [0x41, ...whole(n)]
export const plus: Code = [0x6a]
export const below: Code = [0x49]

/** Repeats the code as long as it leaves a non-zero value. */
export const repeat = (code: Code): Code => [0x03, 0x40, ...code, 0x0d, 0x00, 0x0b]

const memory =
  (operation: number) =>
  (address: number): Code => [...simd(operation), 0x02, ...natural(address)]

/** At a fixed offset from the address on the stack: loads four floats; loads one float into all four lanes; stores four floats. */
export const load = memory(0x00)
export const loadOne = memory(0x09)
export const store = memory(0x0b)

/** A constant in all four lanes. */
export const all = (value: number): Code => {
  const bytes = [...new Uint8Array(Float32Array.of(value).buffer)]
  return [...simd(0x0c), ...bytes, ...bytes, ...bytes, ...bytes]
}

/** Operations on four floats at once; comparisons yield masks. */
export const floats = {
  abs: simd(0xe0),
  neg: simd(0xe1),
  sqrt: simd(0xe3),
  add: simd(0xe4),
  sub: simd(0xe5),
  mul: simd(0xe6),
  div: simd(0xe7),
  min: simd(0xe8),
  max: simd(0xe9),
  // b where it is below (above) a, else a: one instruction, which keeps NaN where a is NaN.
  lower: simd(0xea),
  higher: simd(0xeb),
  equal: simd(0x41),
  greater: simd(0x44)
} as const

/** Bitwise: and; a where the mask is set, else b (the mask last). */
export const and: Code = simd(0x4e)
export const select: Code = simd(0x52)
