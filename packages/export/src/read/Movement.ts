/**
 * Operators that move elements to other places of a tensor.
 */
import { NdArray, Shape } from "@rai/core"
import type { Call, Row } from "./Call.ts"
import { Refused } from "./Refused.ts"
import * as Taking from "./Taking.ts"

const oneHot: Row = (call) => {
  const classes = call.number(1)
  const values = call.float(2)
  const [off, on] = [values.slice(0, 0, 1).reshape([]), values.slice(0, 1, 2).reshape([])]
  if (!(classes >= 1 && classes <= 2 ** 20)) throw new Refused(`it tells ${classes} classes apart`)
  const index = Taking.fromBeginning(call.float(), classes)
  const axis = call.axis(call.int("axis", -1), call.rank() + 1)
  const tensor = Taking.lastTo(index.oneHot(classes), axis).mul(on.sub(off)).add(off)
  return { tensor, kind: call.kind(2) }
}

/** The part of matrices above, or below, a diagonal. */
const triangle: Row = (call) => {
  const [rows, columns] = [call.length(call.rank() - 2), call.length(call.rank() - 1)]
  const k = call.has(1) ? call.number(1) : 0
  const upper = call.int("upper", 1) === 1
  if (rows * columns > 2 ** 20) throw new Refused(`it takes a part of ${rows} × ${columns}`)
  const numbers = Taking.indexes(0, rows * columns).map((i) => {
    const distance = (i % columns) - Math.floor(i / columns)
    return Number(upper ? distance >= k : distance <= k)
  })
  const mask = call.graph.embed(NdArray.make([rows, columns], numbers)).greater(0.5)
  const x = call.float()
  return mask.broadcastTo(x.shape).where(x, x.zerosLike())
}

/** Shape of the images, and the side length of a block. */
const images = (call: Call) => {
  if (call.rank() !== 4) throw new Refused(`${Shape.show(call.shape())} are no images`, true)
  const [c, h, w] = [call.length(1), call.length(2), call.length(3)]
  return { b: call.shape()[0]!, c, h, w, block: call.int("blocksize", 1) }
}

/** Moves channels into blocks of pixels. */
const depthToSpace: Row = (call) => {
  const { b, block, c, h, w } = images(call)
  const left = c / block ** 2
  const isColumnsFirst = call.text("mode", "DCR") === "CRD"
  const parted = isColumnsFirst
    ? call.float().reshape([b, left, block, block, h, w]).transpose([0, 1, 4, 2, 5, 3])
    : call.float().reshape([b, block, block, left, h, w]).transpose([0, 3, 4, 1, 5, 2])
  return parted.reshape([b, left, h * block, w * block])
}

/** Moves blocks of pixels into channels, the inverse of `depthToSpace`. */
const spaceToDepth: Row = (call) => {
  const { b, block, c, h, w } = images(call)
  return call
    .float()
    .reshape([b, c, h / block, block, w / block, block])
    .transpose(call.text("mode", "DCR") === "CRD" ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4])
    .reshape([b, c * block ** 2, h / block, w / block])
}

const transposed: Row = (call) => {
  const reversed = Taking.indexes(0, call.rank()).toReversed()
  return call.tensor().transpose(call.ints("perm") ?? reversed)
}

export const rows: Readonly<Record<string, Row>> = {
  Transpose: transposed,
  OneHot: oneHot,
  Trilu: triangle,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth
}
