/**
 * Activation functions: the operators whose results a plan may cut as such.
 */
import type { Tensor } from "@rai/core"
import { type Call, type Row, unary } from "./Call.ts"

type T = Tensor.Tensor

/** α (eˣ − 1) where x < 0, else 0. */
const expBelow = (x: T, α: number): T => x.minimum(0).elu().mul(α)

const clip: Row = (call) => {
  const x = call.float()
  const bound = (i: number, name: string) =>
    call.opset < 11 ? (call.attributes.has(name) ? [call.real(name, 0)] : undefined) : call.known(i)
  const [low, high] = [bound(1, "min"), bound(2, "max")]
  const isGiven = call.opset >= 11
  const above = low !== undefined ? low[0]! : isGiven && call.has(1) ? call.float(1) : undefined
  const below = high !== undefined ? high[0]! : isGiven && call.has(2) ? call.float(2) : undefined
  if (typeof above === "number" && typeof below === "number" && above <= below) return x.clip(above, below)
  const limited = above === undefined ? x : x.maximum(above)
  return below === undefined ? limited : limited.minimum(below)
}

const gelu = (x: T, call: Call): T => {
  const inner =
    call.text("approximate", "none") === "tanh"
      ? x
          .add(x.mul(x.square()).mul(0.044715))
          .mul(Math.sqrt(2 / Math.PI))
          .tanh()
      : x.mul(Math.SQRT1_2).erf()
  return x.mul(inner.add(1)).mul(0.5)
}

export const rows: Readonly<Record<string, Row>> = {
  Sigmoid: unary((x) => x.sigmoid()),
  Tanh: unary((x) => x.tanh()),
  Relu: unary((x) => x.relu()),
  Softplus: unary((x) => x.softplus()),
  Softsign: unary((x) => x.div(x.abs().add(1))),
  Mish: unary((x) => x.mul(x.softplus().tanh())),
  Gelu: unary(gelu),
  Swish: unary((x, call) => x.mul(x.mul(call.real("alpha", 1)).sigmoid())),
  HardSwish: unary((x) =>
    x.mul(
      x
        .mul(1 / 6)
        .add(0.5)
        .clip(0, 1)
    )
  ),
  HardSigmoid: unary((x, call) => x.mul(call.real("alpha", 0.2)).add(call.real("beta", 0.5)).clip(0, 1)),
  Elu: unary((x, call) => {
    const α = call.real("alpha", 1)
    return α === 1 ? x.elu() : x.maximum(0).add(expBelow(x, α))
  }),
  Celu: unary((x, call) => {
    const α = call.real("alpha", 1)
    return x.maximum(0).add(expBelow(x.mul(1 / α), α))
  }),
  Selu: unary((x, call) =>
    x
      .maximum(0)
      .add(expBelow(x, call.real("alpha", 1.6732631921768188)))
      .mul(call.real("gamma", 1.0507010221481323))
  ),
  LeakyRelu: unary((x, call) => x.leakyRelu(call.real("alpha", 0.01))),
  ThresholdedRelu: unary((x, call) => x.greater(call.real("alpha", 1)).where(x, x.zerosLike())),
  PRelu: (call) =>
    call
      .float(0)
      .maximum(0)
      .add(call.float(0).minimum(0).mul(call.float(1))),
  Clip: clip,
  Erf: unary((x) => x.erf())
}
