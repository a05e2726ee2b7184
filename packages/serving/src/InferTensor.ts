/**
 * A tensor of a request or an answer, as no transport in particular knows it.
 */
import type { Datatype, TensorData } from "./Datatype.ts"

/** What the protocol lets a client say beside the tensors, of a request, an input or an output. */
export type Parameters = Readonly<Record<string, string | number | bigint | boolean>>

/** Named memory: `data` holds Π shape elements, row-major. */
export interface InferTensor {
  readonly name: string
  readonly datatype: Datatype
  readonly shape: ReadonlyArray<number>
  readonly data: TensorData
}

/** An output that a client names; what its parameters mean is the transport's affair. */
export interface RequestedOutput {
  readonly name: string
  readonly parameters?: Parameters | undefined
}

/** What a client asks: tensors in, and the outputs wanted (all of them where it names none). */
export interface InferRequest {
  readonly id?: string | undefined
  readonly parameters?: Parameters | undefined
  readonly inputs: ReadonlyArray<InferTensor>
  readonly outputs?: ReadonlyArray<RequestedOutput> | undefined
}

/** What it gets: tensors, and which model answered. */
export interface InferResponse {
  readonly id?: string | undefined
  readonly model: string
  readonly version: string
  readonly outputs: ReadonlyArray<InferTensor>
}

/** A shape as text: `[-1, 2]`; dimensions that the model leaves open are -1, and a long shape is cut after 8. */
export const printShape = (shape: ReadonlyArray<number | string>): string => {
  const sizes = shape.slice(0, 8).map((size) => (typeof size === "number" ? size : -1))
  return `[${sizes.join(", ")}${shape.length > 8 ? ", …" : ""}]`
}

/** A client's text as it may stand in a message: quoted, and cut after 60 characters. */
export const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
