/**
 * Hidden losses L_h(z, ẑ): the cost of an auxiliary's distance from its prediction.
 */
import { constant, type Tensor } from "../tensor/Tensor.ts"

/** Energy per unit or per example: z, ẑ: [..., batch, units] → [..., batch, units] or [..., batch, 1]. */
export interface HiddenLoss {
  /** Its name in `--plan`. */
  readonly name: string
  readonly of: (z: Tensor, ẑ: Tensor) => Tensor
}

/** The paper's (z − ẑ)² per unit, written so that the gradient of ẑ, which flows on into the stage, needs no change of sign. */
export const squared: HiddenLoss = { name: "squared", of: (z, ẑ) => ẑ.sub(z).square() }

/** ½ d² where |d| < 1, else |d| − ½, with d = z − ẑ, per unit, as in `torch.nn.HuberLoss`. */
export const huber: HiddenLoss = {
  name: "huber",
  of: (z, ẑ) => {
    const d = z.sub(ẑ)
    return constant(1).greater(d.abs()).where(d.square().mul(0.5), d.abs().sub(0.5))
  }
}

/** 1 − ⟨z, ẑ⟩ / (‖z‖ ‖ẑ‖) per example (per row of pixels for images), as in `torch.nn.CosineEmbeddingLoss` for pairs labelled equal. */
export const cosine: HiddenLoss = {
  name: "cosine",
  of: (z, ẑ) => {
    const units = [z.shape.length - 1]
    const length = (a: Tensor) => a.square().sum(units).add(1e-12).sqrt()
    return constant(1).sub(
      z
        .mul(ẑ)
        .sum(units)
        .div(length(z).mul(length(ẑ)))
    )
  }
}

/** The hidden losses by their names in plans. */
export const table: Readonly<Record<string, HiddenLoss>> = { squared, huber, cosine }
