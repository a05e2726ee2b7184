/**
 * `node ours.ts`: this project's server, with all its limits; prints its address.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { InferenceServer } from "@rai/serving"
import { Console, Effect, Layer } from "effect"
import * as Model from "./Model.ts"

const server = InferenceServer.layer({ repository: Model.file, port: 0, grpcPort: 0, executionProviders: ["cpu"] })
const says = Layer.effectDiscard(
  Effect.flatMap(InferenceServer.InferenceServer, ({ grpc }) => Console.log(JSON.stringify({ address: grpc })))
)

Layer.launch(Layer.provide(says, server)).pipe(NodeRuntime.runMain)
