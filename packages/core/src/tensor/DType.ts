/**
 * The element types that programs compute with.
 */

/** `float` is what an engine calculates in (float32, or float64 on the reference engine); `bool` holds conditions, `int` holds indices. */
export type DType = "float" | "bool" | "int"
