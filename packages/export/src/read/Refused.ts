/**
 * What a row throws where it cannot say a node in primitives, as `Tensor` throws `ShapeMismatch`; `Network` catches both.
 */
export class Refused extends Error {
  /** Whether the model itself is wrong, rather than beyond what is read. */
  readonly isInvalid: boolean

  constructor(reason: string, isInvalid = false) {
    super(reason)
    this.isInvalid = isInvalid
  }
}
