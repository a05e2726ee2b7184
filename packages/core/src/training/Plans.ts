/**
 * Plans: user-defined ones, and the automatic one.
 */
export * from "./AutomaticPlan.ts"
export * from "./Plan.ts"
