/**
 * What both servers serve: a trained circuit that tells two moons apart, 2 inputs, 1 output.
 */
import { fileURLToPath } from "node:url"

/** Its file. */
export const file = fileURLToPath(
  new URL("../../../../packages/serving/test/fixtures/more/parity/moons.onnx", import.meta.url)
)

export const name = "moons"
