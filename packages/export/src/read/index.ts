/**
 * How models from elsewhere are read, for what holds that against the operators' official tests.
 */
export * as OperatorCase from "./OperatorCase.ts"
export * as Operators from "./Operators.ts"
