/**
 * Why TensorFlow.js cannot be used here.
 */
import { Data } from "effect"

/** A backend's library is not installed or does not load. */
export class BackendMissing extends Data.TaggedError("BackendMissing")<{
  readonly backend: string
  readonly reason: string
}> {
  override get message(): string {
    return `expected the TensorFlow.js backend ${this.backend} to load, but ${this.reason}; run \`rai setup\` (npx --package @rai/cli rai setup) to set it up, or choose another engine`
  }
}
