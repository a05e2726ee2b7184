/**
 * Operators that reduce each window, or each channel, to one number.
 */
import { type Tensor, Windows } from "@rai/core"
import { type Call, filled, type Row } from "./Call.ts"
import { power } from "./Elementwise.ts"
import { mean } from "./Reductions.ts"
import { Refused } from "./Refused.ts"
import * as Sliding from "./Sliding.ts"

type T = Tensor.Tensor

const windowsOf = (call: Call): ReadonlyArray<Windows.Along> => Sliding.of(call, call.ints("kernel_shape") ?? [])

const maxPool: Row = (call) => {
  if ((call.outputs[1] ?? "") !== "") throw new Refused("its indices are used")
  return Sliding.places(call.float(), windowsOf(call), Number.NEGATIVE_INFINITY).reduce((a, b) => a.maximum(b))
}

/** The sum over each window. */
const summed = (x: T, windows: ReadonlyArray<Windows.Along>): T =>
  Sliding.places(x, windows, 0).reduce((a, b) => a.add(b))

const averagePool: Row = (call) => {
  const x = call.float()
  const windows = windowsOf(call)
  const whole = windows.every(
    (along, i) => along.before === 0 && along.after === 0 && Windows.span(along) <= call.length(2 + i)
  )
  if (whole) return summed(x, windows).mul(1 / windows.reduce((area, { kernel }) => area * kernel, 1))
  const includes = call.int("count_include_pad", 0) === 1
  // Padding that is asked for may count towards the mean; what rounding up adds at the end never does.
  const ones = windows.reduce<T>(
    (of, { after, before }, i) => Windows.padded(of, 2 + i, before, after, Number(includes)),
    filled(1, [1, 1, ...call.shape().slice(2)])
  )
  const uncovered = windows.map((along) => ({ ...along, before: 0, after: 0 }))
  return summed(x, windows).div(summed(ones, uncovered))
}

const lpPool: Row = (call) => {
  const p = call.int("p", 2)
  if (!(p >= 1)) throw new Refused(`its p is ${p}`, true)
  const powers = power(call.float().abs(), p)
  return power(summed(powers, windowsOf(call)), 1 / p)
}

export const rows: Readonly<Record<string, Row>> = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  LpPool: lpPool,
  GlobalAveragePool: (call) => mean(call.float(), call.axesFrom(2)),
  GlobalMaxPool: (call) => call.float().max(call.axesFrom(2))
}
