/**
 * Schemas of what is kept in files. They stand apart because `effect/Schema` is half of what an import would cost: core itself reads them
 * when it reads or writes a file.
 */
export { CheckpointContent, Identity, Progress } from "./CheckpointContent.ts"
export { CircuitJson } from "./CircuitJson.ts"
export { GraphJson } from "./GraphJson.ts"
export { Preprocessing } from "./Preprocessing.ts"
export { Row } from "./Row.ts"
export { TrainedContent } from "./TrainedContent.ts"
