/**
 * What a row throws where it cannot express a node in primitives, as `Tensor` throws `ShapeMismatch`; `Network` catches both.
 */
export class Refused extends Error {
  /** Whether the model itself is invalid, rather than unsupported. */
  readonly isInvalid: boolean

  constructor(reason: string, isInvalid = false) {
    super(reason)
    this.isInvalid = isInvalid
  }
}
