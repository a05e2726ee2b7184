/**
 * Plans: one's own, and the automatic one.
 */
export * from "./AutomaticPlan.ts"
export * from "./Plan.ts"
