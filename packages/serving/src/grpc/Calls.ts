/**
 * From calls, which carry bytes, to effects over messages.
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
import { Effect, type Fiber, Result, Stream } from "effect"
import type { RequestError } from "../RequestError.ts"
import type { Call, Method } from "./Call.ts"
import { frame } from "./Frames.ts"
import * as Parts from "./Parts.ts"
import * as Status from "./Status.ts"

/** Runs the effect that answers a call. */
export type Run = <A>(effect: Effect.Effect<A>) => Fiber.Fiber<A>

/** The methods of a service that are implemented here, by path. */
export const paths = (
  service: DescService,
  methods: Readonly<Record<string, Method>>
): ReadonlyArray<readonly [path: string, method: Method]> =>
  service.methods.flatMap(({ localName, name }) => {
    const method = methods[localName]
    return method === undefined ? [] : [[`/${service.typeName}/${name}`, method] as const]
  })

const malformed: Status.Status = {
  code: Status.code.INVALID_ARGUMENT,
  message: "the message is none of this method's; send it again as the service's description has it"
}

const tooMany: Status.Status = {
  code: Status.code.INVALID_ARGUMENT,
  message: "the message has more parts or numbers than this server takes; send fewer, and tensors as raw_input_contents"
}

/** Decodes a message; where the bytes hold none, or one of too many parts, it ends the call. */
export const read = <I extends DescMessage>(call: Call, schema: I, bytes: Uint8Array): MessageShape<I> | undefined => {
  const message = Result.try(() => (Parts.tooMany(schema, bytes, call.limits) ? tooMany : fromBinary(schema, bytes)))
  if (Result.isSuccess(message) && message.success !== tooMany) return message.success as MessageShape<I>
  call.end(Result.isSuccess(message) ? tooMany : malformed)
  return undefined
}

/** Encodes a message, with its prefix. */
export const write = <O extends DescMessage>(schema: O, message: MessageInitShape<O>): Buffer =>
  frame(toBinary(schema, create(schema, message)))

interface Messages<I extends DescMessage, O extends DescMessage> {
  readonly input: I
  readonly output: O
}

/** A call with one message, answered by an effect; cancelling the call interrupts it. */
const answered = <I extends DescMessage>(
  run: Run,
  route: Method["route"],
  input: I,
  answer: (call: Call, request: MessageShape<I>) => Effect.Effect<void>,
  last?: (call: Call) => void
): Method => ({
  route,
  streams: false,
  serve: (call) => {
    let fiber: Fiber.Fiber<void> | undefined
    const gone = () => fiber?.interruptUnsafe()
    const failed = (cause: unknown) =>
      Effect.tap(Effect.logError("a call met a fault of the server", cause), () =>
        Effect.sync(() => call.end(Status.defect))
      )
    return {
      message: (bytes) => {
        const request = read(call, input, bytes)
        if (request === undefined) return
        fiber = run(Effect.suspend(() => answer(call, request)).pipe(Effect.catchDefect(failed)))
      },
      gone,
      ...(last && {
        stop: () => {
          gone()
          last(call)
        }
      })
    }
  }
})

/** A call with one message and one answer. */
export const unary = <I extends DescMessage, O extends DescMessage>(
  run: Run,
  route: Method["route"],
  { input, output }: Messages<I, O>,
  answer: (request: MessageShape<I>) => Effect.Effect<MessageInitShape<O>, Status.Status | RequestError>
): Method =>
  answered(run, route, input, (call, request) =>
    Effect.match(answer(request), {
      onSuccess: (message) => call.end(Status.ok, write(output, message)),
      onFailure: (reason) => call.end("code" in reason ? reason : Status.failure(reason))
    })
  )

/** A call with many answers, until the client or the server ends it; `last` is the answer of a server that stops. */
export const serverStream = <I extends DescMessage, O extends DescMessage>(
  run: Run,
  route: Method["route"],
  { input, output }: Messages<I, O>,
  answers: (request: MessageShape<I>) => Stream.Stream<MessageInitShape<O>>,
  last: MessageInitShape<O>
): Method =>
  answered(
    run,
    route,
    input,
    (call, request) =>
      Stream.runForEach(answers(request), (message) => Effect.sync(() => call.write(write(output, message)))),
    (call) => call.end(Status.ok, write(output, last))
  )
