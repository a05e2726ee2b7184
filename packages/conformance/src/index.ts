/**
 * The law that every engine gives the same answers, as a suite; and central differences, the law of gradients.
 */
export * as Case from "./Case.ts"
export * as Cases from "./Cases.ts"
export * as Conformance from "./Conformance.ts"
export * as Differences from "./Differences.ts"
export * as Law from "./Law.ts"
export * as Numbers from "./Numbers.ts"
export * as RandomCircuit from "./RandomCircuit.ts"
export * as RandomTrained from "./RandomTrained.ts"
