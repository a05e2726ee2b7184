/**
 * Who watches requests: logs, traces. Nobody does where none is set, which costs requests nothing.
 */
import { Context } from "effect"

/** A request as it arrives. */
export interface RequestStart {
  readonly protocol: "http" | "grpc"
  /** The verb and the path, or the method of gRPC. */
  readonly operation: string
  readonly model?: string | undefined
  /** The client's, or one made for it; the answer bears it too. */
  readonly requestId: string
  /** W3C's `traceparent`, as it came. */
  readonly traceparent?: string | undefined
}

/** How it ended. */
export interface RequestEnd {
  /** HTTP's, or gRPC's code. */
  readonly status: number
  /** Whether it is the server's fault. */
  readonly fault: boolean
  /** Taken back by the client before its answer was sent. */
  readonly cancelled?: boolean | undefined
  /** The one that answered, else the one that was asked for. */
  readonly version?: string | undefined
  /** Rows of the inference. */
  readonly rows?: number | undefined
}

/** Called as a request arrives; what it returns is called once, when the answer is sent or will not be. */
export type RequestObserver = (start: RequestStart) => (end: RequestEnd) => void

/** The one that the transports tell; undefined where nobody watches. */
export const Current = Context.Reference<RequestObserver | undefined>("@rai/serving/watch/RequestObserver", {
  defaultValue: () => undefined
})

/** Tells several; undefined where there are none. */
export const all = (observers: ReadonlyArray<RequestObserver>): RequestObserver | undefined => {
  if (observers.length < 2) return observers[0]
  return (start) => {
    const ends = observers.map((observer) => observer(start))
    return (end) => {
      for (const each of ends) each(end)
    }
  }
}
