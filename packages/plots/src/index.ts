/**
 * Figures of circuits, of training and of trained circuits, as SVG and PNG.
 */
export * as Confusion from "./Confusion.ts"
export * as Course from "./Course.ts"
export { DataMismatch } from "./DataMismatch.ts"
export * as Deviations from "./Deviations.ts"
export * as Diagram from "./Diagram.ts"
export * as Gradients from "./Gradients.ts"
export * as Landscape from "./Landscape.ts"
export * as Lines from "./Lines.ts"
export * as Loss from "./Loss.ts"
export * as Phase from "./Phase.ts"
export * as Picture from "./Picture.ts"
export * as Plane from "./Plane.ts"
export * as Residuals from "./Residuals.ts"
