/**
 * Everything that a pipeline can fail with, distinguished by `_tag`, each with a `message` that says what was expected, what came, what to do.
 */
import type { Archive, CircuitSpec, PlanSpec, TfjsEngine, Training } from "@rai/core"
import type { Onnx, Predict, Verify } from "@rai/export"
import { type Layer, Schema } from "effect"
import type { PlatformError } from "effect/PlatformError"

const quote = (reason: unknown): string => `«${reason instanceof Error ? reason.message : String(reason)}»`

/** The pipeline's signal was aborted. */
export class Cancelled extends Schema.TaggedError<Cancelled>()("Cancelled", {
  /** The reason given to `abort`. */
  reason: Schema.Defect()
}) {
  static by(signal: AbortSignal | undefined): Cancelled {
    return new Cancelled({ reason: signal?.reason ?? "interrupted" })
  }

  override get message(): string {
    return `expected the pipeline to end, but it was cancelled (${quote(this.reason)}); run it again, or go on from its last snapshot`
  }
}

/** The union of the library's errors and this package's own. */
export type RaiError =
  | Training.TrainingError
  | PlanSpec.PlanInvalid
  | CircuitSpec.CircuitInvalid
  | Archive.ArchiveInvalid
  | Layer.Error<typeof TfjsEngine.layer>
  | Onnx.Failed
  | Verify.Failed
  | Predict.Failed
  | PlatformError
  | Cancelled
