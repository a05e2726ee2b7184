/**
 * Training runs as event files for TensorBoard.
 */
export * as EventFile from "./EventFile.ts"
export * as TensorBoard from "./TensorBoard.ts"
