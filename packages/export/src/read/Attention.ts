/**
 * Attention as one operator: softmax(Q Kᵀ · scale + mask) V for each head, without a cache of earlier keys.
 */
import { NdArray, type Tensor } from "@rai/core"
import { type Call, filled, type Row } from "./Call.ts"
import { Refused } from "./Refused.ts"
import { indexes } from "./Taking.ts"

type T = Tensor.Tensor

/** The i-th operand as [batch, heads, tokens, numbers], which three axes hold as [batch, tokens, heads · numbers]. */
const parted = (call: Call, i: number, attribute: string): T => {
  const x = call.float(i)
  if (x.shape.length === 4) return x
  const [examples, tokens, width] = x.shape
  const heads = call.int(attribute, 0)
  if (x.shape.length !== 3 || !(heads > 0)) throw new Refused(`its input ${i} has no heads`, true)
  return x.reshape([examples!, tokens!, heads, (width as number) / heads]).transpose([0, 2, 1, 3])
}

/** Repeats each head where several of the queries share it. */
const shared = (x: T, heads: number): T => {
  const [examples, own, ...rest] = x.shape as readonly [number | string, number, ...ReadonlyArray<number>]
  if (own === heads) return x
  const times = heads / own
  if (!Number.isInteger(times)) throw new Refused(`${heads} heads do not share ${own}`, true)
  return x
    .reshape([examples, own, 1, ...rest])
    .broadcastTo([examples, own, times, ...rest])
    .reshape([examples, heads, ...rest])
}

/** What is added to the products of rows and columns: −∞ where a query does not look. */
const masks = (call: Call, rows: number, columns: number): ReadonlyArray<T> => {
  const found: Array<T> = []
  if (call.has(3)) {
    const mask = call.tensor(3)
    if (mask.shape.at(-1) !== columns && mask.shape.at(-1) !== 1) throw new Refused("its mask is shorter than its keys")
    found.push(mask.dtype === "bool" ? unless(mask) : mask)
  }
  if (call.int("is_causal", 0) === 1) {
    if (rows * columns > 2 ** 20) throw new Refused(`it looks back over ${rows} × ${columns} tokens`)
    const allowed = indexes(0, rows * columns).map((i) => Number(i % columns <= Math.floor(i / columns)))
    found.push(unless(call.graph.embed(NdArray.make([rows, columns], allowed)).greater(0.5)))
  }
  return found
}

const unless = (allowed: T): T =>
  allowed.where(filled(0, allowed.shape), filled(Number.NEGATIVE_INFINITY, allowed.shape))

/** Softmax over the last axis, 0 where a mask leaves nothing to look at. */
const weights = (x: T, bias: ReadonlyArray<T>): T => {
  if (bias.length === 0) return x.softmax([x.shape.length - 1])
  const whole = bias.reduce((a, b) => a.add(b)).broadcastTo(x.shape)
  const last = [x.shape.length - 1]
  const isBlind = whole.max(last).equal(Number.NEGATIVE_INFINITY)
  // Rows without anything to look at are computed without their mask, so that no NaN arises on the way.
  const everywhere = isBlind.broadcastTo(x.shape)
  const seen = x.add(everywhere.where(x.zerosLike(), whole)).softmax(last)
  return everywhere.where(x.zerosLike(), seen)
}

const attention: Row = (call) => {
  if (call.has(4) || call.has(5) || call.has(6)) throw new Refused("it keeps the keys and values of earlier tokens")
  const windows = ["left_window_size", "right_window_size"].some((name) => call.int(name, -1) >= 0)
  if (windows) throw new Refused("it looks at a window of tokens")
  const q = parted(call, 0, "q_num_heads")
  const heads = q.shape[1] as number
  const [k, v] = [parted(call, 1, "kv_num_heads"), parted(call, 2, "kv_num_heads")]
  const scale = call.real("scale", 1 / Math.sqrt(q.shape[3] as number))
  const products = q.matMul(shared(k, heads), { transposeB: true }).mul(scale)
  const cap = call.real("softcap", 0)
  const capped =
    cap > 0
      ? products
          .mul(1 / cap)
          .tanh()
          .mul(cap)
      : products
  const bias = masks(call, capped.shape[2] as number, capped.shape[3] as number)
  const seen = weights(capped, bias)
  const y = seen.matMul(shared(v, heads))
  const [examples, , tokens, width] = y.shape
  const joined =
    call.rank() === 4 ? y : y.transpose([0, 2, 1, 3]).reshape([examples!, tokens!, heads * (width as number)])
  // The products of queries and keys are an output of their own, at the stage that an attribute names.
  const stages = [products, capped, bias.reduce((a, b) => a.add(b), capped), seen]
  return [joined, k, v, stages[call.int("qk_matmul_output_mode", 0)]!]
}

export const rows: Readonly<Record<string, Row>> = { Attention: attention }
