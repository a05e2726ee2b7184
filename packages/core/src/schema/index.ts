/**
 * Schemas of stored files. They are separate because `effect/Schema` would be half of the cost of an import: core itself imports them only when it
 * reads or writes a file.
 */
export { CheckpointContent, Identity, Progress } from "./CheckpointContent.ts"
export { CircuitJson } from "./CircuitJson.ts"
export { GraphJson } from "./GraphJson.ts"
export { Preprocessing } from "./Preprocessing.ts"
export { Row } from "./Row.ts"
export { TrainedContent } from "./TrainedContent.ts"
