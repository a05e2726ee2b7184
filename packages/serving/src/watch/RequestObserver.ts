/**
 * Observers of requests, such as logs and traces. With none set, observing costs requests nothing.
 */
import { Context } from "effect"

/** A request as it arrives. */
export interface RequestStart {
  readonly protocol: "http" | "grpc"
  /** The verb and the path, or gRPC's method. */
  readonly operation: string
  readonly model?: string | undefined
  /** The client's id, or one made for it; the answer carries it too. */
  readonly requestId: string
  /** W3C's `traceparent`, as received. */
  readonly traceparent?: string | undefined
}

/** How a request ended. */
export interface RequestEnd {
  /** The HTTP status, or gRPC's code. */
  readonly status: number
  /** Whether it is the server's fault. */
  readonly fault: boolean
  /** Whether the client cancelled it before its answer was sent. */
  readonly cancelled?: boolean | undefined
  /** The version that answered, else the one that was asked for. */
  readonly version?: string | undefined
  /** Number of rows of the inference. */
  readonly rows?: number | undefined
}

/** Called when a request arrives; what it returns is called once, when the answer has been sent or will not be. */
export type RequestObserver = (start: RequestStart) => (end: RequestEnd) => void

/** The observer that the transports report to; undefined where there is none. */
export const Current = Context.Reference<RequestObserver | undefined>("@rai/serving/watch/RequestObserver", {
  defaultValue: () => undefined
})

/** Combines several observers; undefined where there are none. */
export const all = (observers: ReadonlyArray<RequestObserver>): RequestObserver | undefined => {
  if (observers.length < 2) return observers[0]
  return (start) => {
    const ends = observers.map((observer) => observer(start))
    return (end) => {
      for (const each of ends) each(end)
    }
  }
}
