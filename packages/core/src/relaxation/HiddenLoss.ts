/**
 * Hidden losses L_h(z, ẑ): what it costs an auxiliary to differ from its prediction.
 */
import { constant, type Tensor } from "../tensor/Tensor.ts"

/** The energy of each unit, or of each example: z, ẑ: [..., batch, units] → [..., batch, units] or [..., batch, 1]. */
export interface HiddenLoss {
  /** As `--plan` takes it. */
  readonly name: string
  readonly of: (z: Tensor, ẑ: Tensor) => Tensor
}

/** (z − ẑ)² of each unit, the paper's; written so that the gradient of ẑ, which goes on into the stage, needs no change of sign. */
export const squared: HiddenLoss = { name: "squared", of: (z, ẑ) => ẑ.sub(z).square() }

/** ½ d² where |d| < 1, else |d| − ½, with d = z − ẑ, of each unit, as `torch.nn.HuberLoss`. */
export const huber: HiddenLoss = {
  name: "huber",
  of: (z, ẑ) => {
    const d = z.sub(ẑ)
    return constant(1).greater(d.abs()).where(d.square().mul(0.5), d.abs().sub(0.5))
  }
}

/** 1 − ⟨z, ẑ⟩ / (‖z‖ ‖ẑ‖) of each example, of an image of each row of pixels, as `torch.nn.CosineEmbeddingLoss` of equal pairs. */
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

/** The hidden losses by the names that plans use. */
export const table: Readonly<Record<string, HiddenLoss>> = { squared, huber, cosine }
