import { InferenceServer } from "/work/wt/http/packages/serving/src/index.ts"
import { Effect, Layer, Redacted } from "effect"
const port = Number(process.argv[3] ?? 8000)
await Effect.runPromise(Layer.launch(InferenceServer.layer({ repository: process.argv[2]!, port, executionProviders: ["cpu"], access: { admin: "open" } })) as never)
