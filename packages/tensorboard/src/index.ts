/**
 * Training runs as event files that TensorBoard opens.
 */
export * as EventFile from "./EventFile.ts"
export * as TensorBoard from "./TensorBoard.ts"
