/**
 * The model on both servers: a trained circuit that classifies the two moons, 2 inputs, 1 output.
 */
import { fileURLToPath } from "node:url"

/** The model's file. */
export const file = fileURLToPath(
  new URL("../../../../packages/serving/test/fixtures/more/parity/moons.onnx", import.meta.url)
)

export const name = "moons"
