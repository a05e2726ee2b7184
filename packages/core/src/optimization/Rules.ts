/**
 * The optimisers by the names that plans use.
 */
import * as Adam from "./Adam.ts"
import type { Optimizer } from "./Optimizer.ts"
import * as Rprop from "./Rprop.ts"
import * as Sgd from "./Sgd.ts"

/** `rprop`, `adam`, `sgd`: each from its rate. */
export const table: Readonly<Record<string, (rate: number) => Optimizer>> = {
  rprop: Rprop.make,
  adam: Adam.make,
  sgd: Sgd.make
}
