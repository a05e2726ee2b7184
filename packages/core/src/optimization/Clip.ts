/**
 * Gradient clipping by the joint norm of all gradients.
 */
import { constant, type Tensor } from "../tensor/Tensor.ts"

/** g · min(1, c/(‖g‖ + 1e-6)), ‖g‖ over all gradients together, as `torch.nn.utils.clip_grad_norm_`. */
export const norm = (gradients: ReadonlyArray<Tensor>, c: number): ReadonlyArray<Tensor> => {
  const square = gradients.map((g) => g.square().total()).reduce((a, b) => a.add(b))
  const factor = constant(c).div(square.sqrt().add(1e-6)).minimum(1)
  return gradients.map((g) => g.mul(factor))
}
