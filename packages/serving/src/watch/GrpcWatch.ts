/**
 * Reports inferences over gRPC to the observer, from outside: the code that answers them does not know of it.
 */
import { Result } from "effect"
import type { Call } from "../grpc/Call.ts"
import * as Status from "../grpc/Status.ts"
import type { Ask } from "../grpc/StreamInfer.ts"
import type { RequestObserver } from "./RequestObserver.ts"

/** Wraps `ask` so that each request is observed; `refused` reports calls that are refused before anything is asked. */
export const make = (
  observer: RequestObserver,
  operation: string,
  ask: Ask
): { readonly ask: Ask; readonly refused: (call: Call, code: Status.Code) => void } => ({
  ask: (message, asker, answer) => {
    const { modelName: model, modelVersion } = message
    const { requestId = "", traceparent } = asker
    const tell = observer({ protocol: "grpc", operation, model, requestId, traceparent })
    const asked = modelVersion === "" ? undefined : modelVersion
    const cancel = ask(message, asker, (result) => {
      if (Result.isSuccess(result)) {
        const { outputs, version } = result.success
        tell({ status: Status.code.OK, fault: false, cancelled: false, version, rows: outputs[0]?.shape[0] ?? 1 })
      } else {
        const status = Status.codeOf(result.failure)
        tell({ status, fault: isFault(status), cancelled: false, version: asked })
      }
      answer(result)
    })
    return () => {
      tell({ status: Status.code.CANCELLED, fault: false, cancelled: true, version: asked })
      cancel()
    }
  },
  refused: ({ requestId = "", traceparent }, status) => {
    const tell = observer({ protocol: "grpc", operation, requestId, traceparent })
    tell({ status, fault: isFault(status), cancelled: false })
  }
})

const isFault = (status: Status.Code): boolean => status === Status.code.INTERNAL
