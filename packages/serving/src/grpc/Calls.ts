/**
 * From a service's description to what grpc-js serves, and from its calls to effects.
 */
import {
  create,
  type DescMessage,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary
} from "@bufbuild/protobuf"
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  ServiceDefinition,
  StatusObject
} from "@grpc/grpc-js"
import { Effect, type Fiber, Stream } from "effect"
import * as Access from "../Access.ts"
import type { AdminClosed, RequestError, Unauthenticated } from "../RequestError.ts"
import * as Status from "./Status.ts"

/** How grpc-js reads and writes each method's messages. */
export const definition = (service: DescService): ServiceDefinition =>
  Object.fromEntries(
    service.methods.map(({ name, localName, methodKind, input, output }) => {
      const write = (schema: DescMessage) => (message: MessageShape<DescMessage>) => {
        const { buffer, byteOffset, byteLength } = toBinary(schema, message)
        return Buffer.from(buffer, byteOffset, byteLength)
      }
      const method = {
        path: `/${service.typeName}/${name}`,
        requestStream: methodKind === "bidi_streaming" || methodKind === "client_streaming",
        responseStream: methodKind === "bidi_streaming" || methodKind === "server_streaming",
        requestSerialize: write(input),
        requestDeserialize: (bytes: Uint8Array) => fromBinary(input, bytes),
        responseSerialize: write(output),
        responseDeserialize: (bytes: Uint8Array) => fromBinary(output, bytes)
      }
      return [localName, method]
    })
  )

/** What all calls of one server share. */
export interface Calls {
  readonly access: Access.Access
  readonly run: <A>(effect: Effect.Effect<A>) => Fiber.Fiber<A>
  /** What ends the streams that would outlast the server; a stream adds itself, and takes itself out when it ends. */
  readonly open: Set<() => void>
}

/** Who may call: `probe` is anyone. */
export type Route = "admin" | "other" | "probe"

/** Why a call with this metadata may not pass, or undefined where it may. */
export const refusal = (
  { access }: Calls,
  route: Route,
  metadata: Metadata
): Unauthenticated | AdminClosed | undefined =>
  route === "probe" ? undefined : Access.refusal(access, route, metadata.get("authorization")[0]?.toString())

/** Ends a stream with a status. */
export const fail = (
  call: { readonly emit: (event: "error", status: Partial<StatusObject>) => boolean },
  status: Partial<StatusObject>
): void => {
  call.emit("error", status)
}

const logged = (cause: unknown) => Effect.logError("a call met a fault of the server", cause)

interface Method<I extends DescMessage, O extends DescMessage> {
  readonly input: I
  readonly output: O
}

/** A call with one answer; whoever takes it back interrupts the effect. */
export const unary =
  <I extends DescMessage, O extends DescMessage>(
    calls: Calls,
    route: Route,
    { output }: Method<I, O>,
    answer: (request: MessageShape<I>) => Effect.Effect<MessageInitShape<O>, RequestError>
  ): handleUnaryCall<MessageShape<I>, MessageShape<O>> =>
  (call, callback) => {
    const refused = refusal(calls, route, call.metadata)
    if (refused !== undefined) return callback(Status.failure(refused))
    const fiber = calls.run(
      Effect.suspend(() => answer(call.request)).pipe(
        Effect.match({
          onSuccess: (message) => callback(null, create(output, message)),
          onFailure: (reason) => callback(Status.failure(reason))
        }),
        Effect.catchDefect((cause) =>
          Effect.tap(
            logged(cause),
            Effect.sync(() => callback(Status.defect))
          )
        )
      )
    )
    call.on("cancelled", () => fiber.interruptUnsafe())
  }

/** A call with many answers, until the client or the server ends it; the last is what a server says that stops. */
export const serverStream =
  <I extends DescMessage, O extends DescMessage>(
    calls: Calls,
    route: Route,
    { output }: Method<I, O>,
    answers: (request: MessageShape<I>) => Stream.Stream<MessageInitShape<O>>,
    last: MessageInitShape<O>
  ): handleServerStreamingCall<MessageShape<I>, MessageShape<O>> =>
  (call) => {
    const refused = refusal(calls, route, call.metadata)
    if (refused !== undefined) return fail(call, Status.failure(refused))
    const write = (message: MessageInitShape<O>) => call.write(create(output, message))
    const fiber = calls.run(
      answers(call.request).pipe(
        Stream.runForEach((message) => Effect.sync(() => write(message))),
        Effect.catchDefect((cause) =>
          Effect.tap(
            logged(cause),
            Effect.sync(() => fail(call, Status.defect))
          )
        )
      )
    )
    const close = () => {
      fiber.interruptUnsafe()
      write(last)
      call.end()
    }
    calls.open.add(close)
    call.on("cancelled", () => {
      calls.open.delete(close)
      fiber.interruptUnsafe()
    })
  }
