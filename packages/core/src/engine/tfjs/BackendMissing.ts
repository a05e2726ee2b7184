/**
 * Why TensorFlow.js does not compute here.
 */
import { Schema } from "effect"

/** A backend whose library is not installed or does not load. */
export class BackendMissing extends Schema.TaggedError<BackendMissing>()("BackendMissing", {
  backend: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `expected the TensorFlow.js backend ${this.backend} to load, but ${this.reason}; run \`rai setup\` (npx --package @rai/cli rai setup) to set it up, or choose another engine`
  }
}
