/**
 * The optimisers by their names in plans.
 */
import * as Adam from "./Adam.ts"
import * as Muon from "./Muon.ts"
import type { Optimizer, Settings } from "./Optimizer.ts"
import * as RmsProp from "./RmsProp.ts"
import * as Rprop from "./Rprop.ts"
import * as Sgd from "./Sgd.ts"

/** A rule: its settings with their defaults, and its constructor. */
export interface Rule {
  readonly defaults: Settings
  readonly make: (rate: number, settings: Settings) => Optimizer
}

/** `rprop`, `adam`, `adamw`, `sgd`, `rmsprop`, `muon`. */
export const table: Readonly<Record<string, Rule>> = {
  rprop: Rprop,
  adam: Adam,
  adamw: { defaults: Adam.decoupledDefaults, make: Adam.decoupled },
  sgd: Sgd,
  rmsprop: RmsProp,
  muon: Muon
}
