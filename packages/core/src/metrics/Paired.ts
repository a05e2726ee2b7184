/**
 * Truth and predictions belong together: one prediction for each.
 */
import * as Shape from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"

/** Throws `ShapeMismatch` unless the predictions have the shape of the truth. */
export const check = (operation: string, truth: Shape.Shape, predicted: Shape.Shape): void => {
  if (Shape.equals(truth, predicted)) return
  const [expected, came, advice] = [Shape.show(truth), Shape.show(predicted), "give one prediction for each target"]
  throw new ShapeMismatch({ operation, expected, came, advice })
}
