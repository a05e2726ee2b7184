/**
 * Why a request gets no answer. Each transport maps these to its own codes (`http/Reply.ts`, `grpc/Status.ts`); none carries a path or the runtime's own text.
 */
import { Schema } from "effect"
import { quote } from "./InferTensor.ts"

/** The request does not follow the protocol or does not fit the model. */
export class RequestInvalid extends Schema.TaggedError<RequestInvalid>()("RequestInvalid", { reason: Schema.String }) {
  override get message(): string {
    return this.reason
  }
}

const some = (all: ReadonlyArray<string>): string => all.slice(0, 10).join(", ") + (all.length > 10 ? ", …" : "")

/** No model, or no version of it, has this name. */
export class ModelUnknown extends Schema.TaggedError<ModelUnknown>()("ModelUnknown", {
  model: Schema.String,
  version: Schema.UndefinedOr(Schema.String),
  known: Schema.Array(Schema.String),
  /** The model's versions, where the model is known. */
  versions: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  override get message(): string {
    if (this.version !== undefined && !/^[1-9]\d*$/.test(this.version) && this.known.includes(this.model)) {
      // Triton's clients look for these words.
      const came = `failed to get model version from specified version string '${quote(this.version).slice(1, -1)}'`
      return `${came} for the model ${quote(this.model)}; a version is a whole number from 1; ask for one of the model's own, or for none to have the latest`
    }
    const version = this.version === undefined ? "" : ` in version ${quote(this.version)}`
    const { known, versions = [] } = this
    const [what, all] = versions.length > 0 ? ["one of its versions", versions] : ["one of", known]
    const advice = all.length === 0 ? "no model is" : `ask for ${what}: ${some(all)}`
    // Triton's clients look for these words.
    return `Request for unknown model: ${quote(this.model)}${version} is not here; ${advice}`
  }
}

/** The model is known, but nothing answers for it now. */
export class ModelUnavailable extends Schema.TaggedError<ModelUnavailable>()("ModelUnavailable", {
  model: Schema.String,
  /** Why it is not served; none given where its worker is being started again. */
  reason: Schema.optionalKey(Schema.String),
  /** The model's versions that are ready. */
  ready: Schema.optionalKey(Schema.Array(Schema.String))
}) {
  /** The reason while it is being loaded: like a worker's start, it ends by itself. */
  static readonly loading = "it is being loaded"

  override get message(): string {
    const { model, ready = [], reason } = this
    const shortly = reason === undefined || reason === ModelUnavailable.loading
    const otherwise = shortly ? "ask again shortly" : "ask again once it is mended or loaded"
    const advice = ready.length === 0 ? otherwise : `ask for one of its versions: ${some(ready)}`
    return `the model ${quote(model)} is not ready: ${reason ?? "its worker stopped and is being started again"}; ${advice}`
  }
}

/** The model's queue is full. */
export class Overloaded extends Schema.TaggedError<Overloaded>()("Overloaded", {
  model: Schema.String,
  limit: Schema.Int,
  /** Number of seconds after which there may be room. */
  retryAfter: Schema.Int
}) {
  override get message(): string {
    return `the model ${quote(this.model)} has ${this.limit} requests waiting, which is its limit; ask again in ${this.retryAfter} s, or of another replica`
  }
}

/** The client's time limit passed before the answer came. */
export class DeadlineExceeded extends Schema.TaggedError<DeadlineExceeded>()("DeadlineExceeded", {
  model: Schema.String
}) {
  override get message(): string {
    return `the model ${quote(this.model)} did not answer in time; give it more, by the request or by its default_timeout_microseconds, or ask for less at once`
  }
}

/** A model that could not be loaded or unloaded as asked; what served before keeps serving. */
export class LoadRefused extends Schema.TaggedError<LoadRefused>()("LoadRefused", {
  model: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    // Triton's clients look for these words.
    return `failed to load the model ${quote(this.model)}: ${this.reason}`
  }
}

/** The server is about to stop. */
export class Draining extends Schema.TaggedError<Draining>()("Draining", {}) {
  override get message(): string {
    return "this server is about to stop: it answers what is under way; ask another replica"
  }
}

/** None of the models to be served answers: what a health probe is told, which has no business knowing their names. */
export class NoneReady extends Schema.TaggedError<NoneReady>()("NoneReady", {}) {
  override get message(): string {
    return "no model of this server is ready; POST /v2/repository/index says why, or ask again shortly"
  }
}

/** A request that needs a token came with none, or with the wrong one. */
export class Unauthenticated extends Schema.TaggedError<Unauthenticated>()("Unauthenticated", {}) {
  override get message(): string {
    return "this route wants a bearer token, and none or another came; send «authorization: Bearer …»"
  }
}

/** Loading and unloading are closed: the server was started without a token for them. */
export class AdminClosed extends Schema.TaggedError<AdminClosed>()("AdminClosed", {}) {
  override get message(): string {
    return "loading and unloading are closed on this server; start it with an admin token to open them"
  }
}

/** The runtime could not compute an input that fits the model's signature. */
export class InferenceFailed extends Schema.TaggedError<InferenceFailed>()("InferenceFailed", {
  model: Schema.String
}) {
  override get message(): string {
    return `the model ${quote(this.model)} could not compute this input; check that the sizes its metadata leaves open (-1) fit each other, or see the server's log`
  }
}

/** A part of the protocol that this server does not speak. */
export class NotSupported extends Schema.TaggedError<NotSupported>()("NotSupported", { reason: Schema.String }) {
  override get message(): string {
    return this.reason
  }
}

/** The body is over the limit. */
export class BodyTooLarge extends Schema.TaggedError<BodyTooLarge>()("BodyTooLarge", { limit: Schema.Int }) {
  override get message(): string {
    return `the body is over the limit of ${this.limit} bytes; send fewer examples in one request`
  }
}

/** Any of these errors. */
export type RequestError =
  | RequestInvalid
  | ModelUnknown
  | ModelUnavailable
  | Overloaded
  | DeadlineExceeded
  | LoadRefused
  | Draining
  | Unauthenticated
  | AdminClosed
  | InferenceFailed
  | NotSupported
  | BodyTooLarge
