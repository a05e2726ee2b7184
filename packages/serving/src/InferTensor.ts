/**
 * Tensors of requests and answers, independent of the transport.
 */
import type { Datatype, TensorData } from "./Datatype.ts"

/** Parameters that a client may set on a request, an input or an output. */
export type Parameters = Readonly<Record<string, string | number | bigint | boolean>>

/** A named tensor: `data` holds Π shape elements, row-major. */
export interface InferTensor {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: ReadonlyArray<number>
  readonly data: TensorData
}

/** An output that a client asks for; its parameters are for the transport to interpret. */
export interface RequestedOutput {
  readonly name: string
  readonly parameters?: Parameters | undefined
}

/** An inference request: input tensors and the outputs wanted (all of them where it names none). */
export interface InferRequest {
  readonly id?: string | undefined
  readonly parameters?: Parameters | undefined
  readonly inputs: ReadonlyArray<InferTensor>
  readonly outputs?: ReadonlyArray<RequestedOutput> | undefined
}

/** An inference response: output tensors, and the model and version that answered. */
export interface InferResponse {
  readonly id?: string | undefined
  readonly model: string
  readonly version: string
  readonly outputs: ReadonlyArray<InferTensor>
}

/** Prints a shape, such as `[-1, 2]`; open dimensions are -1, and only the first 8 are shown. */
export const printShape = (shape: ReadonlyArray<number | string>): string => {
  const sizes = shape.slice(0, 8).map((size) => (typeof size === "number" ? size : -1))
  return `[${sizes.join(", ")}${shape.length > 8 ? ", …" : ""}]`
}

/** Quotes a client's text for a message, cut after 60 characters. */
export const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
