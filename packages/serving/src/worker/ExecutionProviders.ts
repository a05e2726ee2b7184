/**
 * Which execution providers this machine has and, in plain words, why one is missing.
 */
import * as CudaProvider from "@rai/onnxruntime/cuda"
import { Effect } from "effect"
import type { ExecutionProvider, Refused } from "./Message.ts"
import * as ModelWorker from "./ModelWorker.ts"

/** What `rai doctor` prints about a provider: whether it was found, and the runtime's version, or why it was not. */
export interface ProviderFact {
  readonly provider: ExecutionProvider
  readonly found: boolean
  readonly detail: string
}

// y = x for one float, opset 21: the smallest model to try a provider with.
const smallest = Buffer.from(
  "CAoSADo3ChAKAXgSAXkiCElkZW50aXR5EgFwWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQFQ==",
  "base64"
)

/** Why a provider did not take a model, in one line without paths; the runtime's own text is for the log. */
export const explain = ({ provider, text }: Refused): string =>
  provider === "cpu" ? "onnxruntime's CPU provider does not take it" : CudaProvider.explain(text)

/**
 * Tries the providers on the smallest model, in a thread of its own; never fails.
 *
 * ```ts
 * import { ExecutionProviders } from "@rai/serving"
 * import { Console, Effect } from "effect"
 *
 * const print = Effect.flatMap(ExecutionProviders.probe, (facts) =>
 *   Effect.forEach(facts, ({ provider, found, detail }) => Console.log(provider, found ? "found" : "not found", detail))
 * )
 * await Effect.runPromise(print)
 * ```
 */
export const probe: Effect.Effect<ReadonlyArray<ProviderFact>> = Effect.scoped(
  ModelWorker.make({ name: "probe", model: smallest, providers: ["cuda", "cpu"] })
).pipe(
  Effect.map(({ description: { provider, refused, runtimeVersion } }): ReadonlyArray<ProviderFact> => {
    const detail = `onnxruntime ${runtimeVersion}`
    const cuda = refused.find((attempt) => attempt.provider === "cuda")
    return [
      { provider: "cpu", found: true, detail },
      { provider: "cuda", found: provider === "cuda", detail: cuda === undefined ? detail : explain(cuda) }
    ]
  }),
  Effect.catch(() => {
    const detail = `onnxruntime does not load for ${process.platform} on ${process.arch}`
    return Effect.succeed<ReadonlyArray<ProviderFact>>([
      { provider: "cpu", found: false, detail },
      { provider: "cuda", found: false, detail }
    ])
  })
)
