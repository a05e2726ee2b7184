/**
 * `rai serve`: models over the Open Inference Protocol.
 */
import { InferenceServer } from "@rai/serving"
import { Effect, Layer, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"

/** The command. */
export const command = Command.make(
  "serve",
  {
    repository: Argument.String("REPOSITORY").pipe(
      Argument.withDescription("a folder of .onnx files, a folder as Triton lays it out, or one .onnx file")
    ),
    host: Flag.String("host").pipe(Flag.withDescription("the address to listen on"), Flag.withDefault("127.0.0.1")),
    port: Flag.Int("port").pipe(Flag.withDescription("the port; 0 takes a free one"), Flag.withDefault(8080)),
    grpcPort: Flag.Int("grpc-port").pipe(
      Flag.withDescription("serve gRPC too, on this port; 0 takes a free one"),
      Flag.optional
    )
  },
  Effect.fn("serve")(function* ({ grpcPort, ...options }) {
    yield* Layer.launch(InferenceServer.layer({ ...options, grpcPort: Option.getOrUndefined(grpcPort) }))
  })
).pipe(Command.withDescription("Serve models on the Open Inference Protocol until interrupted"))
