/**
 * The paper's figures and its open questions as experiments.
 */
export * as Comparison from "./Comparison.ts"
export * as Contestant from "./Contestant.ts"
export * as Experiment from "./Experiment.ts"
export * as Experiments from "./Experiments.ts"
export * as Figure from "./Figure.ts"
export * as Page from "./Page.ts"
export * as Row from "./Row.ts"
export * as Run from "./Run.ts"
export * as Seeds from "./Seeds.ts"
export * as Statistics from "./Statistics.ts"
