/**
 * A request's errors as gRPC has them: Triton's codes, which clients know what to do about.
 */
import { Metadata, type StatusObject, status } from "@grpc/grpc-js"
import type { RequestError } from "../RequestError.ts"

const codes: Readonly<Record<RequestError["_tag"], status>> = {
  RequestInvalid: status.INVALID_ARGUMENT,
  ModelUnknown: status.NOT_FOUND,
  ModelUnavailable: status.UNAVAILABLE,
  Overloaded: status.UNAVAILABLE,
  DeadlineExceeded: status.DEADLINE_EXCEEDED,
  LoadRefused: status.INTERNAL,
  Draining: status.UNAVAILABLE,
  Unauthenticated: status.UNAUTHENTICATED,
  AdminClosed: status.PERMISSION_DENIED,
  InferenceFailed: status.INVALID_ARGUMENT,
  NotSupported: status.UNIMPLEMENTED,
  BodyTooLarge: status.RESOURCE_EXHAUSTED
}

type Answer = Partial<StatusObject>

/** The status of an error; a full queue also says when to come again, where gRPC's retries look for it. */
export const failure = (reason: RequestError): Answer => {
  const answer = { code: codes[reason._tag], details: reason.message }
  if (reason._tag !== "Overloaded") return answer
  const metadata = new Metadata()
  metadata.set("grpc-retry-pushback-ms", String(reason.retryAfter * 1000))
  return { ...answer, metadata }
}

/** Of a defect: the reason is for the log. */
export const defect: Answer = {
  code: status.INTERNAL,
  details: "the server met a fault of its own; its log says which"
}
